// neural.continuous_flow: gradients, densities, and what a model must do.
#include <gtest/gtest.h>

TEST(ContinuousFlow, Placeholder) {}
