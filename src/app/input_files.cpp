#include "app/input_files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/lines.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace helios::app {
namespace {

constexpr std::size_t open_files_max = 256;  // of more the later ones are not read again

/// Sizes of files that are made while they are read (/proc) say nothing: these are 0.
bool is_regular(const struct stat& info) {
    return S_ISREG(info.st_mode) && info.st_size > 0;
}

}  // namespace

std::string LineOrigin::encode() const {
    ByteWriter out;
    out.varint(file);
    out.varint(number);
    out.boolean(place.has_value());
    if (place) {
        out.varint(place->offset);
        out.varint(place->size);
        out.u64(place->hash);
    } else {
        out.raw(text);
    }
    return out.take();
}

LineOrigin LineOrigin::of(std::string_view bytes) {
    ByteReader in(bytes);
    LineOrigin origin;
    origin.file = static_cast<std::size_t>(in.varint());
    origin.number = in.varint();
    if (in.boolean()) {
        Place place;
        place.offset = in.varint();
        place.size = in.varint();
        place.hash = in.u64();
        origin.place = place;
    } else {
        origin.text = in.rest();
    }
    return origin;
}

InputFiles::~InputFiles() {
    for (const File& file : files_) {
        if (file.descriptor > STDIN_FILENO) {
            close(file.descriptor);
        }
    }
}

/// Only of what is known to be a regular file: opening a pipe would be seen at its other end.
InputFiles::InputFiles(const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
        File file{.name = name_of_input(path)};
        struct stat info{};
        if (path == "-") {
            const off_t begin = lseek(STDIN_FILENO, 0, SEEK_CUR);
            if (begin >= 0 && fstat(STDIN_FILENO, &info) == 0 && is_regular(info)) {
                file.descriptor = STDIN_FILENO;
                file.begin = static_cast<std::uint64_t>(begin);
            }
        } else if (files_.size() < open_files_max && stat(path.c_str(), &info) == 0 &&
                   is_regular(info)) {
            file.descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        }
        files_.push_back(std::move(file));
    }
}

std::optional<LineOrigin::Place> InputFiles::place_of(std::size_t file, std::uint64_t begin,
                                                      std::string_view line) const {
    if (files_[file].descriptor < 0) {
        return std::nullopt;
    }
    return LineOrigin::Place{files_[file].begin + begin, line.size(), xxh3_64(line)};
}

Result<std::string> InputFiles::read(const LineOrigin& origin) const {
    const File& file = files_[origin.file];
    std::string line(static_cast<std::size_t>(origin.place->size), '\0');
    for (std::size_t at = 0; at < line.size();) {
        const ssize_t n = pread(file.descriptor, line.data() + at, line.size() - at,
                                static_cast<off_t>(origin.place->offset + at));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail(ErrorKind::unavailable,
                        fmt::format("can't read {} again: {}", file.name, std::strerror(errno)));
        }
        if (n == 0) {
            break;
        }
        at += static_cast<std::size_t>(n);
    }
    if (xxh3_64(line) != origin.place->hash) {
        return changed(origin);
    }
    return line;
}

std::unexpected<Error> InputFiles::changed(const LineOrigin& origin) const {
    const std::string& name = files_[origin.file].name;
    return fail(
        ErrorKind::unavailable,
        fmt::format("{}:{}: the line is not what it was: the file was written to while it was read",
                    name, origin.number),
        "keep the file as it is, or hand it over once: cat FILE | helios reconcile");
}

}  // namespace helios::app
