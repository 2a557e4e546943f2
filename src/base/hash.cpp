#include "base/hash.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <openssl/evp.h>
#include <xxhash.h>

#include "base/assert.h"

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace helios {
namespace {

std::uint32_t load_u32_le(const char* p) {
    std::uint32_t v = 0;
    for (int i = 3; i >= 0; --i) {
        v = (v << 8) | static_cast<unsigned char>(p[i]);
    }
    return v;
}

/// Helios' namespace for name-based UUIDs. Changing it renames every verdict ever written.
constexpr std::array<std::uint8_t, 16> uuid_namespace = {
    0xca, 0x68, 0x69, 0x14, 0x22, 0x98, 0x4d, 0xb8, 0xa1, 0x5b, 0x6c, 0xb9, 0x3a, 0xa1, 0x31, 0x25};

struct MessageDigest {
    explicit MessageDigest(const char* name) : md(EVP_MD_fetch(nullptr, name, nullptr)) {
        HELIOS_ASSERT(md != nullptr, "libcrypto lacks a digest that Helios needs");
    }
    ~MessageDigest() { EVP_MD_free(md); }
    MessageDigest(const MessageDigest&) = delete;
    MessageDigest& operator=(const MessageDigest&) = delete;
    EVP_MD* md;
};

struct DigestContext {
    DigestContext() : context(EVP_MD_CTX_new()) {
        HELIOS_ASSERT(context != nullptr, "out of memory");
    }
    ~DigestContext() { EVP_MD_CTX_free(context); }
    DigestContext(const DigestContext&) = delete;
    DigestContext& operator=(const DigestContext&) = delete;
    EVP_MD_CTX* context;
};

/// Digest of `first` followed by `second`. Fetching the algorithm and making a context cost more
/// than hashing an event, hence both are kept.
template <std::size_t N>
std::array<std::uint8_t, N> digest(const EVP_MD* md, std::string_view first,
                                   std::string_view second) {
    thread_local DigestContext kept;
    std::array<std::uint8_t, N> out{};
    unsigned length = 0;
    const bool ok = EVP_DigestInit_ex2(kept.context, md, nullptr) == 1 &&
                    EVP_DigestUpdate(kept.context, first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(kept.context, second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(kept.context, out.data(), &length) == 1;
    HELIOS_ASSERT(ok && length == N, "libcrypto refused to hash");
    return out;
}

#if !defined(__SSE4_2__)
constexpr std::array<std::uint32_t, 256> crc32c_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) {
            c = (c >> 1) ^ ((c & 1) != 0 ? 0x82f63b78u : 0u);
        }
        table[i] = c;
    }
    return table;
}();
#endif

}  // namespace

std::uint32_t murmur2(std::string_view bytes) {
    constexpr std::uint32_t m = 0x5bd1e995u;
    constexpr int r = 24;
    std::uint32_t h = 0x9747b28cu ^ static_cast<std::uint32_t>(bytes.size());
    const std::size_t whole = bytes.size() / 4 * 4;
    for (std::size_t i = 0; i < whole; i += 4) {
        std::uint32_t k = load_u32_le(bytes.data() + i);
        k *= m;
        k ^= k >> r;
        k *= m;
        h *= m;
        h ^= k;
    }
    const std::string_view tail = bytes.substr(whole);
    for (std::size_t i = tail.size(); i > 0; --i) {
        h ^= static_cast<std::uint32_t>(static_cast<unsigned char>(tail[i - 1])) << (8 * (i - 1));
    }
    if (!tail.empty()) {
        h *= m;
    }
    h ^= h >> 13;
    h *= m;
    h ^= h >> 15;
    return h;
}

std::uint32_t partition_of(std::string_view key, std::uint32_t partitions) {
    HELIOS_ASSERT(partitions > 0, "a topic has at least one partition");
    return (murmur2(key) & 0x7fffffffu) % partitions;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
    const char* p = bytes.data();
    std::size_t n = bytes.size();
    std::uint32_t crc = ~seed;
#if defined(__SSE4_2__)
    std::uint64_t wide = crc;
    for (; n >= 8; p += 8, n -= 8) {
        std::uint64_t word;
        std::memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = static_cast<std::uint32_t>(wide);
    for (; n > 0; ++p, --n) {
        crc = _mm_crc32_u8(crc, static_cast<unsigned char>(*p));
    }
#else
    for (; n > 0; ++p, --n) {
        crc = (crc >> 8) ^ crc32c_table[(crc ^ static_cast<unsigned char>(*p)) & 0xff];
    }
#endif
    return ~crc;
}

std::uint64_t xxh3_64(std::string_view bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

Digest128 xxh3_128(std::string_view bytes, std::uint64_t seed) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed));
    Digest128 out;
    static_assert(sizeof canonical.digest == sizeof out);
    std::memcpy(out.data(), canonical.digest, sizeof out);
    return out;
}

Digest256 sha256(std::string_view bytes) {
    static const MessageDigest algorithm("SHA256");
    return digest<32>(algorithm.md, bytes, {});
}

Digest128 sha256_128(std::string_view bytes) {
    const Digest256 full = sha256(bytes);
    Digest128 out;
    std::copy_n(full.begin(), out.size(), out.begin());
    return out;
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto b = static_cast<unsigned char>(c);
        out.push_back(digits[b >> 4]);
        out.push_back(digits[b & 15]);
    }
    return out;
}

bool from_hex(std::string_view digits, std::span<std::uint8_t> out) {
    if (digits.size() != 2 * out.size()) {
        return false;
    }
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const char c = digits[i];
        const bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'f')) {
            return false;
        }
        const int value = digit ? c - '0' : c - 'a' + 10;
        out[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? value << 4 : out[i / 2] | value);
    }
    return true;
}

std::string uuid5(std::string_view name) {
    static const MessageDigest algorithm("SHA1");
    const std::string_view space(reinterpret_cast<const char*>(uuid_namespace.data()),
                                 uuid_namespace.size());
    auto id = digest<20>(algorithm.md, space, name);
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x50);  // version 5
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);  // variant of RFC 9562
    std::string out = to_hex(std::string_view(reinterpret_cast<const char*>(id.data()), 16));
    for (const std::size_t at : {8u, 13u, 18u, 23u}) {
        out.insert(at, 1, '-');
    }
    return out;
}

namespace {

std::string encode_by(const char* alphabet, bool padded, std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = (group << 8) | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        }
        for (std::size_t j = 0; j <= n; ++j) {
            out.push_back(alphabet[(group >> (18 - 6 * j)) & 63]);
        }
        out.append(padded ? 3 - n : 0, '=');
    }
    return out;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
    return encode_by("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true,
                     bytes);
}

std::string base64url_encode(std::string_view bytes) {
    return encode_by("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false,
                     bytes);
}

bool base64_decode(std::string_view text, std::string& out) {
    static constexpr std::uint8_t none = 0xff;
    static constexpr std::array<std::uint8_t, 256> values = [] {
        std::array<std::uint8_t, 256> table{};
        table.fill(none);
        constexpr std::string_view alphabet =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (std::size_t i = 0; i < alphabet.size(); ++i) {
            table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
        }
        table['-'] = 62;
        table['_'] = 63;
        return table;
    }();
    out.clear();
    if (text.ends_with('=')) {  // padding is all or nothing
        if (text.size() % 4 != 0) {
            return false;
        }
        text.remove_suffix(text.ends_with("==") ? 2 : 1);
    }
    if (text.size() % 4 == 1) {
        return false;
    }
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text) {
        const std::uint32_t value = values[static_cast<unsigned char>(c)];
        if (value == none) {
            out.clear();
            return false;
        }
        group = (group << 6) | value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<char>(static_cast<unsigned char>(group >> bits)));
            group &= (1u << bits) - 1;
        }
    }
    if (group != 0) {  // left-over bits: no encoder writes them
        out.clear();
        return false;
    }
    return true;
}

}  // namespace helios
