#include "log/checkpoint_file.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"

namespace helios::log {

namespace {

constexpr std::string_view magic = "HELIOSCP";
constexpr std::size_t sum_bytes = 4;
constexpr const char* newer_hint = "start the version that wrote it, or let this one replay";

std::string_view bytes_of(const Digest128& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest128 read_digest(ByteReader& in) {
    Digest128 out{};
    const std::string_view bytes = in.raw(out.size());
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

void write_header(ByteWriter& out, const CheckpointHeader& header) {
    out.raw(bytes_of(header.log.bits));
    out.string(header.topic);
    out.u32(header.partition);
    out.u64(header.next.value);
    out.boolean(header.last.has_value());
    out.u64(header.last.value_or(Offset{}).value);
    out.u64(static_cast<std::uint64_t>(to_nanos(header.last_time)));
    out.u32(header.level);
    out.u32(header.format);
    out.raw(bytes_of(header.digest));
}

CheckpointHeader read_header(ByteReader& in) {
    CheckpointHeader out;
    out.log.bits = read_digest(in);
    out.topic = in.string();
    out.partition = in.u32();
    out.next.value = in.u64();
    const bool has_last = in.boolean();
    const Offset last{in.u64()};
    if (has_last) {
        out.last = last;
    }
    out.last_time = from_nanos(static_cast<std::int64_t>(in.u64()));
    out.level = in.u32();
    out.format = in.u32();
    out.digest = read_digest(in);
    return out;
}

/// A name that stays in the checkpoint's own directory.
bool good_file_name(std::string_view name) {
    return !name.empty() && !name.starts_with('.') &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

}  // namespace

std::string encode_header(const CheckpointHeader& header) {
    ByteWriter out;
    write_header(out, header);
    return out.take();
}

std::string encode_checkpoint(const CheckpointContent& content) {
    ByteWriter out;
    out.raw(magic);
    out.u32(checkpoint_version);
    write_header(out, content.header);
    out.u32(static_cast<std::uint32_t>(content.files.size()));
    for (const CheckpointFile& file : content.files) {
        out.string(file.name);
        out.u64(file.bytes);
        out.boolean(file.sum.has_value());
        out.u32(file.sum.value_or(0));
    }
    out.u32(crc32c(out.view()));
    return out.take();
}

Result<CheckpointContent> decode_checkpoint(std::string_view bytes, const std::string& path) {
    if (!bytes.starts_with(magic)) {
        return fail(ErrorKind::corrupt, path + " is not a checkpoint's");
    }
    const std::size_t summed = bytes.size() - std::min(bytes.size(), sum_bytes);
    if (summed < magic.size() + 4 ||
        ByteReader(bytes.substr(summed)).u32() != crc32c(bytes.substr(0, summed))) {
        return fail(ErrorKind::corrupt, path + " is damaged");
    }
    ByteReader in(bytes.substr(magic.size(), summed - magic.size()));
    if (const std::uint32_t version = in.u32(); version != checkpoint_version) {
        return fail(ErrorKind::corrupt,
                    path + " was written by a newer version of Helios (version " +
                        std::to_string(version) + "; this one knows " +
                        std::to_string(checkpoint_version) + ")",
                    newer_hint);
    }
    CheckpointContent out;
    out.header = read_header(in);
    for (auto count = in.u32(); count > 0 && in.ok(); --count) {
        CheckpointFile file;
        file.name = in.string();
        file.bytes = in.u64();
        const bool has_sum = in.boolean();
        const std::uint32_t sum = in.u32();
        if (has_sum) {
            file.sum = sum;
        }
        if (!good_file_name(file.name)) {
            in.spoil();
        }
        out.files.push_back(std::move(file));
    }
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, path + " is damaged");
    }
    return out;
}

}  // namespace helios::log
