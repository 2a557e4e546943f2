#pragma once
/// How an entry of a State stands on disk, and the digest over all of them. Pure.
///
/// Stored value: 16 bytes hash of key and value as put, 1 byte form, the value; a shrunk one ends
/// in a CRC-32C. The hash stays when a value is shrunk, so a digest does not depend on that.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "log/state.h"

namespace helios::log {

/// Stands before every value.
inline constexpr std::size_t entry_head_bytes = 17;

Digest128 hash_of_entry(std::string_view key, std::string_view value);

std::string encode_entry(std::string_view key, std::string_view value);
/// The value; it lies in `stored`. corrupt: not what was put, or not what it was shrunk to.
Result<std::string_view> decode_entry(std::string_view key, std::string_view stored);
/// The hash of what was put. corrupt: too short to be an entry.
Result<Digest128> hash_in_entry(std::string_view stored);
/// The entry with its value shrunk; absent: it stays as it is, as a damaged one does.
std::optional<std::string> shrink_entry(std::string_view key, std::string_view stored,
                                        const Shrink& shrink);

/// Sum mod 2^128 of hashes, as big-endian numbers: the same for the same set in any order.
class DigestSum {
public:
    DigestSum() = default;
    explicit DigestSum(const Digest128& sum);
    void add(const Digest128& hash);
    void subtract(const Digest128& hash);
    Digest128 value() const;

private:
    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

}  // namespace helios::log
