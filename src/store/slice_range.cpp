#include "store/slice_range.h"

#include "store/damage.h"
#include "store/slice_statements.h"

namespace helios::store {

Result<std::optional<SliceRange>> range_in(Database& slice) {
    Prepared<TheRange> statement;
    HELIOS_TRY(statement.prepare(slice));
    HELIOS_TRY_ASSIGN(const auto rows, statement.ask().rows());
    if (rows.empty()) {
        return std::nullopt;
    }
    if (rows.size() != 1 || slice_start(slice.file()) != rows.front().start ||
        rows.front().end <= rows.front().start) {
        return damaged(slice.file(), "is not of the time that its name says");
    }
    return rows.front();
}

Status expect_range(Database& slice, const SliceRange& range) {
    HELIOS_TRY_ASSIGN(const auto there, range_in(slice));
    if (there != range) {
        return damaged(slice.file(), "is not of the time that it was made for");
    }
    return {};
}

}  // namespace helios::store
