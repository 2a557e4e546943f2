#pragma once
/// Whether a log's directory and files are still those that were opened: what is written to a
/// deleted file is lost, whatever its fsync says.

#include <map>
#include <string>
#include <vector>

#include "log/directory.h"
#include "log/disk.h"
#include "log/segments.h"

namespace helios::log {

/// One thread at a time. Disk and tables must outlive it.
class Presence {
public:
    Presence(Disk& disk, const DirectoryPaths& paths, std::vector<const SegmentTable*> journals)
        : disk_(disk), paths_(paths), journals_(std::move(journals)) {}

    /// What it sees for the first time it remembers. unavailable: something is gone, has been
    /// replaced, or can't be written to any more; named, with what to do.
    Status check();

private:
    Status same(const std::string& path);

    Disk& disk_;
    const DirectoryPaths paths_;
    const std::vector<const SegmentTable*> journals_;
    std::map<std::string, FileId> known_;
};

}  // namespace helios::log
