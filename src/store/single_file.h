#pragma once
/// Stores of before slices: one file, store.db, with events and case records in it. Private to the
/// room.

#include "base/result.h"
#include "store/options.h"

namespace helios::store {

/// Where options.file is not there and store.db stands in its folder: its events and case records
/// move into slices, and what is left becomes options.file. Ended in the middle, it begins anew and
/// comes to the same. Nothing of it is read from the log: what is past its retention moves, too.
Status split_single_file(const Options& options);

}  // namespace helios::store
