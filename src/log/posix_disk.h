#pragma once
/// The machine's file system behind log/disk.h. Linux: fdatasync, fallocate, flock, getrandom.

#include <memory>

#include "log/disk.h"

namespace helios::log {

/// Stateless and thread-safe.
std::unique_ptr<Disk> posix_disk();

}  // namespace helios::log
