#pragma once
/// States in memory: a map each, no checkpoints. Behind `--ephemeral` and in tests.

#include <memory>

#include "log/state.h"

namespace helios::log {

/// Every State begins empty; write() keeps nothing and cannot fail.
std::unique_ptr<StateDirectory> memory_states();

}  // namespace helios::log
