#pragma once
/// Random bytes of the machine's own source, for keys: nobody can guess them.

#include <cstdint>
#include <span>

namespace helios {

/// Fills all of it (getrandom(2)); may wait while the machine has just been started.
void fill_random(std::span<std::uint8_t> bytes);

}  // namespace helios
