#pragma once
/// The slices as their writer sees them: which there are, which is written to, and what of a batch
/// goes where. Private to the room.
///
/// *One event, one row, whatever is read first.* A record is a copy if one of its identity and
/// content comes before it on the log, within Options::copies_within; else it is the event's row.
/// A record that comes to light late makes a copy of the row behind it.
///
/// *Each file commits for itself*: slices first, what is current last. What was committed to a
/// slice and not to the current file is read again and changes nothing. A slice that is not
/// *sealed* says how far it is itself, for a power cut may take back its last commits alone; a
/// sealed one was synced, and so is every later change of it.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "store/options.h"
#include "store/slice_file.h"

namespace helios::store {

/// Not thread-safe.
class Slices {
public:
    /// `known`: those of the current file. Files of slices that it does not know yet become known;
    /// what lies before `dropped_until` is removed. unavailable: a known file is not there or can't
    /// be opened; corrupt.
    static Result<std::unique_ptr<Slices>> open(const Options& options,
                                                const std::vector<KnownSlice>& known,
                                                Instant dropped_until);

    /// From where on records must be read, so that no slice lacks one: at most `current`.
    Result<log::Offsets> lowest(log::Offsets current);

    /// Events and legs of a batch, and its offsets. `before`: offsets of the current file. Each
    /// slice all or nothing; on an error some may have been written: write the batch again.
    Status write(const Rows& rows, const log::Offsets& before);

    /// Slices that are new or newly sealed since told(): for the current file.
    std::vector<KnownSlice> news() const;
    void told();

    /// Oldest first, those that retention drops now.
    std::vector<SliceRange> expired(Instant now) const;
    /// They are gone: the files too, unless the disk refuses (then at the next start).
    void drop(const std::vector<SliceRange>& gone, Instant dropped_until);
    std::size_t count() const { return slices_.size(); }

    /// Files that are open for writing.
    std::vector<std::filesystem::path> open_files() const;
    /// A slice that can't be read, and is left alone. Looks for each file that is not open.
    std::optional<Error> damage() const;
    /// An open file has lost its name: it is made anew from what is still open.
    Status remake(const std::filesystem::path& file);

private:
    struct Slice {
        explicit Slice(const SliceRange& of, bool is_sealed = false, bool is_told = false)
            : range(of), sealed(is_sealed), told(is_told) {}
        SliceRange range;
        bool sealed;
        bool told;                    ///< the current file knows it as it is
        bool used = false;            ///< rows of this batch went there
        std::optional<Error> damage;  ///< why it is left alone
        std::unique_ptr<SliceFile> file;
    };
    using Map = std::map<Instant, Slice>;

    Slices(const Options& options, Instant dropped_until)
        : options_(options), dropped_until_(dropped_until) {}
    Status find_files();
    Result<SliceFile*> opened(Slice& slice);
    Slice* holder_of(Instant t);
    Slice* slice_for(Instant t);
    SliceRange range_for(Instant t) const;
    std::vector<Slice*> near(Instant t);
    Status write_rows(const Rows& rows, const log::Offsets& before);
    Status write_event(const OfTenant<EventRow>& row);
    Status look_for_copies(Slice& slice, const OfTenant<EventRow>& row, bool& copy);
    Status leave_alone(Slice& slice, const Slice* own, Error why);
    Status write_offsets(const Rows& rows, const log::Offsets& before);
    Status begin(Slice& slice);
    Status commit();
    Status seal_older();
    void close_idle();

    const Options options_;
    Map slices_;
    Instant dropped_until_;
};

}  // namespace helios::store
