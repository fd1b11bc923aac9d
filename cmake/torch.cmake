# libtorch of the torch wheel, as the target gradatim_torch, where the Python of this build has one.
#
# Not find_package(Torch): the configuration of a CUDA wheel stops where there is no CUDA toolkit, and
# linking the wheel's libraries needs none.
function(gradatim_find_torch)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT root OR NOT EXISTS ${root}/lib/libtorch_cpu.so)
    return()
  endif()
  add_library(gradatim_torch INTERFACE)
  # Behind the system's, since the wheel brings headers of another fmt.
  target_compile_options(gradatim_torch INTERFACE "SHELL:-idirafter ${root}/include")
  target_link_libraries(gradatim_torch INTERFACE -Wl,--no-as-needed)
  foreach(name IN ITEMS torch torch_cpu torch_cuda c10 c10_cuda)
    if(EXISTS ${root}/lib/lib${name}.so)
      target_link_libraries(gradatim_torch INTERFACE ${root}/lib/lib${name}.so)
    endif()
  endforeach()
  target_link_libraries(gradatim_torch INTERFACE -Wl,--as-needed)
  target_compile_options(gradatim_torch INTERFACE -fopenmp)  # else at::parallel_for runs serially
  set(GRADATIM_TORCH_ROOT ${root} PARENT_SCOPE)
endfunction()

# Of a torch with CUDA: where pip put the headers of CUDA and NCCL. Not a toolkit's, since what torch
# hands over is laid out as its own version of NCCL has it.
function(gradatim_find_nccl)
  if(NOT EXISTS ${GRADATIM_TORCH_ROOT}/lib/libtorch_cuda.so)
    return()
  endif()
  file(GLOB places ${GRADATIM_TORCH_ROOT}/../nvidia/*/include)
  find_path(NCCL_INCLUDE_DIR nccl.h PATHS ${places} NO_DEFAULT_PATH)
  find_path(CUDA_RUNTIME_INCLUDE_DIR cuda_runtime_api.h PATHS ${places} NO_DEFAULT_PATH)
  if(NCCL_INCLUDE_DIR AND CUDA_RUNTIME_INCLUDE_DIR)
    set(GRADATIM_NCCL_INCLUDES ${places} PARENT_SCOPE)
  else()
    message(STATUS "no headers of NCCL and CUDA: ranks add up gradients of devices by way of memory")
  endif()
endfunction()
