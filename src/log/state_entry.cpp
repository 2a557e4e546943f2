#include "log/state_entry.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"

namespace helios::log {

namespace {

constexpr char whole = 0;
constexpr char shrunk = 1;
constexpr std::size_t hash_bytes = sizeof(Digest128);
constexpr std::size_t sum_bytes = 4;

std::string_view bytes_of(const Digest128& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

/// Over hash, form and value: so a shrunk value belongs to this key and to what was put.
std::uint32_t sum_of_shrunk(std::string_view key, std::string_view head_and_value) {
    return crc32c(head_and_value, crc32c(key));
}

std::uint64_t read_high_first(const std::uint8_t* eight_bytes) {
    std::uint64_t out = 0;
    for (int i = 0; i < 8; ++i) {
        out = out << 8 | eight_bytes[i];
    }
    return out;
}

void write_high_first(std::uint64_t value, std::uint8_t* eight_bytes) {
    for (int i = 7; i >= 0; --i) {
        eight_bytes[i] = static_cast<std::uint8_t>(value);
        value >>= 8;
    }
}

}  // namespace

Digest128 hash_of_entry(std::string_view key, std::string_view value) {
    return xxh3_128(value, xxh3_64(key));
}

std::string encode_entry(std::string_view key, std::string_view value) {
    std::string out;
    out.reserve(entry_head_bytes + value.size());
    out.append(bytes_of(hash_of_entry(key, value)));
    out.push_back(whole);
    out.append(value);
    return out;
}

Result<std::string_view> decode_entry(std::string_view key, std::string_view stored) {
    if (stored.size() >= entry_head_bytes && stored[hash_bytes] == whole) {
        const std::string_view value = stored.substr(entry_head_bytes);
        if (bytes_of(hash_of_entry(key, value)) == stored.substr(0, hash_bytes)) {
            return value;
        }
    } else if (stored.size() >= entry_head_bytes + sum_bytes && stored[hash_bytes] == shrunk) {
        const std::string_view summed = stored.substr(0, stored.size() - sum_bytes);
        if (ByteReader(stored.substr(summed.size())).u32() == sum_of_shrunk(key, summed)) {
            return summed.substr(entry_head_bytes);
        }
    }
    return fail(ErrorKind::corrupt, "an entry is not as it was put");
}

Result<Digest128> hash_in_entry(std::string_view stored) {
    if (stored.size() < entry_head_bytes) {
        return fail(ErrorKind::corrupt, "an entry is too short to be one");
    }
    Digest128 out;
    std::copy_n(stored.begin(), out.size(), out.begin());
    return out;
}

std::optional<std::string> shrink_entry(std::string_view key, std::string_view stored,
                                        const Shrink& shrink) {
    const auto value = decode_entry(key, stored);
    if (!value) {
        return std::nullopt;
    }
    const auto smaller = shrink(key, *value);
    if (!smaller || smaller->size() + sum_bytes >= value->size()) {
        return std::nullopt;
    }
    ByteWriter out;
    out.raw(stored.substr(0, hash_bytes));
    out.u8(static_cast<std::uint8_t>(shrunk));
    out.raw(*smaller);
    out.u32(sum_of_shrunk(key, out.view()));
    return out.take();
}

DigestSum::DigestSum(const Digest128& sum)
    : high_(read_high_first(sum.data())), low_(read_high_first(sum.data() + 8)) {}

void DigestSum::add(const Digest128& hash) {
    const std::uint64_t low = read_high_first(hash.data() + 8);
    low_ += low;
    high_ += read_high_first(hash.data()) + (low_ < low ? 1 : 0);
}

void DigestSum::subtract(const Digest128& hash) {
    const std::uint64_t low = read_high_first(hash.data() + 8);
    high_ -= read_high_first(hash.data()) + (low_ < low ? 1 : 0);
    low_ -= low;
}

Digest128 DigestSum::value() const {
    Digest128 out;
    write_high_first(high_, out.data());
    write_high_first(low_, out.data() + 8);
    return out;
}

}  // namespace helios::log
