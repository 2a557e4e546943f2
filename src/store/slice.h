#pragma once
/// A slice: one SQLite file with the rows of a stretch of log time, beside the file of what is
/// current. Retention drops it whole.
///
/// An event's row lies in the slice of its log time, a case record's in that of the `at` it
/// carries. Slices don't overlap; where nothing happened there is none. Private to the room.

#include <filesystem>
#include <optional>

#include "base/time.h"

namespace helios::store {

/// [start, end) of log time: whole minutes.
struct SliceRange {
    Instant start;
    Instant end;
    bool holds(Instant t) const { return start <= t && t < end; }
    friend bool operator==(const SliceRange&, const SliceRange&) = default;
};

/// As the current file knows it. Sealed: synced, and every later change of it is (slices.h).
struct KnownSlice {
    SliceRange range;
    bool sealed = false;
};

/// Its file, beside `current`: events-20260105T100000Z.db
std::filesystem::path slice_file(const std::filesystem::path& current, Instant start);
/// The start that a file's name says; nullopt: no slice's name.
std::optional<Instant> slice_start(const std::filesystem::path& file);

/// The slice of the given length that holds `t`, counted from 1970.
SliceRange slice_at(Instant t, Duration length);

}  // namespace helios::store
