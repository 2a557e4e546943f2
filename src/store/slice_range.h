#pragma once
/// What stretch of time a slice's file says that it is of. Private to the room.

#include <optional>

#include "base/result.h"
#include "store/database.h"
#include "store/slice.h"

namespace helios::store {

/// nullopt: nothing was ever committed to it. corrupt: it says another than its name.
Result<std::optional<SliceRange>> range_in(Database& slice);
/// corrupt: it is of another.
Status expect_range(Database& slice, const SliceRange& range);

}  // namespace helios::store
