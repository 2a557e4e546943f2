#pragma once
/// The files that `helios reconcile` reads, and where a line stands in them: what is wanted of a
/// line later is read again, where that can be done, so that nobody need keep it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace helios::app {

/// What is known of a line when it is asked for later.
struct LineOrigin {
    /// In a regular file. The hash tells whether it still stands there.
    struct Place {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
        std::uint64_t hash = 0;
    };

    std::size_t file = 0;      ///< its number in InputFiles
    std::uint64_t number = 0;  ///< from 1
    std::optional<Place> place{};
    std::string_view text{};  ///< without a place: what was kept of the line

    std::string encode() const;
    /// A view of the bytes that encode() made.
    static LineOrigin of(std::string_view bytes);
};

/// Thread-safe. Made before the files are read.
class InputFiles {
public:
    /// "-": standard input, from where it stands.
    explicit InputFiles(const std::vector<std::string>& paths);
    InputFiles(const InputFiles&) = delete;
    InputFiles& operator=(const InputFiles&) = delete;
    ~InputFiles();

    /// As complaints name it. A file's number is its place among the paths.
    const std::string& name(std::size_t file) const { return files_[file].name; }

    /// Where a line stands that begins so many bytes behind what was to be read of the file; absent
    /// if it could not be read again: not of a regular file, or there are very many files.
    std::optional<LineOrigin::Place> place_of(std::size_t file, std::uint64_t begin,
                                              std::string_view line) const;
    /// The line again. unavailable: it can't be read, or is not what it was.
    Result<std::string> read(const LineOrigin& origin) const;
    /// That it is not what it was.
    std::unexpected<Error> changed(const LineOrigin& origin) const;

private:
    struct File {
        std::string name;
        int descriptor = -1;      ///< -1: it is not read again
        std::uint64_t begin = 0;  ///< where its reading began
    };
    std::vector<File> files_;
};

}  // namespace helios::app
