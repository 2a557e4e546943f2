#pragma once
/// Hashes and derived ids. Every function is fixed for ever: results are stored and compared across
/// machines.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace helios {

/// Kafka's default partitioner hash (murmur2, seed 0x9747b28c); partition = (murmur2 & 0x7fffffff)
/// % partitions.
std::uint32_t murmur2(std::string_view bytes);
std::uint32_t partition_of(std::string_view key, std::uint32_t partitions);

/// CRC-32C (Castagnoli), hardware where there is some; `seed` continues an earlier value.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

/// Fast, not for hostile input.
std::uint64_t xxh3_64(std::string_view bytes);

using Digest128 = std::array<std::uint8_t, 16>;
/// Fast, not for hostile input; canonical (big-endian) bytes.
Digest128 xxh3_128(std::string_view bytes, std::uint64_t seed);

using Digest256 = std::array<std::uint8_t, 32>;
Digest256 sha256(std::string_view bytes);
/// The first 16 bytes of SHA-256: for identities that a hostile sender must not be able to collide.
Digest128 sha256_128(std::string_view bytes);

std::string to_hex(std::string_view bytes);
template <std::size_t N>
std::string to_hex(const std::array<std::uint8_t, N>& d) {
    return to_hex(std::string_view(reinterpret_cast<const char*>(d.data()), N));
}

/// Bytes that to_hex has written. False: not two lower-case digits for each byte of `out`, which
/// then holds anything.
[[nodiscard]] bool from_hex(std::string_view digits, std::span<std::uint8_t> out);

/// RFC 9562 UUID version 5 (SHA-1) of `name` in Helios' own namespace, lower case with dashes.
std::string uuid5(std::string_view name);

/// Standard base64 with padding (RFC 4648 §4); decode also accepts the URL alphabet and missing
/// padding. False: invalid (other characters, white space included; wrong length or padding; bits
/// left over), and `out` is empty.
std::string base64_encode(std::string_view bytes);
/// With the alphabet for URLs and without padding (§5).
std::string base64url_encode(std::string_view bytes);
bool base64_decode(std::string_view text, std::string& out);

}  // namespace helios
