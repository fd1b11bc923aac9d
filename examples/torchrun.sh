#!/usr/bin/env bash
# One model by several processes, started by torchrun, which comes with torch: a boosted model of rows that are divided among the
# processes, then a network of which each computes a part of every batch (its columns are numbers without gaps; leave it out for others).
#
#   examples/torchrun.sh                                   # two processes on this machine
#   PROCESSES=8 examples/torchrun.sh                       # eight
#   MACHINES=4 MEET=node-1:29500 examples/torchrun.sh      # on each of four machines, the same words
#
# Assumes `make neural`, with build/ and .venv/bin on the PATH. Several machines: the same version and the same paths on each; the data,
# and the folders of the checkpoints, on a disk that all of them reach; MEET, a port of one of them that nobody else needs to reach.
set -euo pipefail

DATA=${DATA:-rows.csv}       # or .parquet, a folder, a pattern of names
TARGET=${TARGET:-y}
PROCESSES=${PROCESSES:-2}    # on each machine, which share its processors
MACHINES=${MACHINES:-1}

if [ "$MACHINES" -gt 1 ]; then
  place=(--nnodes "$MACHINES" --rdzv-backend c10d --rdzv-endpoint "$MEET")
else
  place=(--standalone)
fi
# A job that loses a process begins again, three times at most, and goes on from the last checkpoint.
run=(torchrun --no-python --nproc-per-node "$PROCESSES" --max-restarts 3 "${place[@]}" gradatim)

# The model's file has the same bytes for any number of processes.
"${run[@]}" train boost.newton --data "$DATA" --target "$TARGET" \
  --n_estimators 100 --resume checkpoints/boosted --out boosted.safetensors

# The batch is that of all processes together, and a multiple of their number.
"${run[@]}" train neural.diffusion --data "$DATA" --label "$TARGET" \
  --network mlp --batch_size 256 --steps 500 --resume checkpoints/network --out network.safetensors
