#include "base/bytes.h"

#include <algorithm>

namespace helios {

void ByteWriter::fixed(std::uint64_t v, int bytes) {
    char buffer[8];
    for (int i = 0; i < bytes; ++i) {
        buffer[i] = static_cast<char>(static_cast<unsigned char>(v >> (8 * i)));
    }
    out_.append(buffer, static_cast<std::size_t>(bytes));
}

void ByteWriter::varint(std::uint64_t v) {
    // The usual case first: a record is mostly texts, and these are short.
    if (v < 0x80) {
        out_.push_back(static_cast<char>(v));
        return;
    }
    while (v >= 0x80) {
        out_.push_back(static_cast<char>(static_cast<unsigned char>(v | 0x80)));
        v >>= 7;
    }
    out_.push_back(static_cast<char>(v));
}

void ByteWriter::zigzag(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
}

void ByteWriter::string(std::string_view s) {
    // What has one text mostly has more: it is not moved again with each of the first few.
    constexpr std::size_t first_bytes = 120;
    constexpr std::size_t varint_bytes_max = 10;
    const std::size_t needed = out_.size() + varint_bytes_max + s.size();
    if (needed > out_.capacity()) {
        out_.reserve(std::max({needed, 2 * out_.capacity(), first_bytes}));
    }
    if (s.size() >= 0x80) {
        varint(s.size());
        out_.append(s);
        return;
    }
    const std::size_t before = out_.size();
    const std::size_t after = before + 1 + s.size();
    out_.resize_and_overwrite(after, [&](char* at, std::size_t) {
        at[before] = static_cast<char>(s.size());
        std::copy_n(s.data(), s.size(), at + before + 1);
        return after;
    });
}

std::uint64_t ByteReader::fixed(int bytes) {
    const std::string_view b = raw(static_cast<std::size_t>(bytes));
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        v |= static_cast<std::uint64_t>(static_cast<unsigned char>(b[i])) << (8 * i);
    }
    return v;
}

std::uint64_t ByteReader::varint() {
    if (!rest_.empty() && static_cast<unsigned char>(rest_.front()) < 0x80) {
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return byte;
    }
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < rest_.size() && i < 10; ++i) {
        const auto byte = static_cast<unsigned char>(rest_[i]);
        if (i == 9 && byte > 1) {
            break;  // would not fit 64 bits
        }
        v |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            rest_.remove_prefix(i + 1);
            return v;
        }
    }
    ok_ = false;
    rest_ = {};
    return 0;
}

std::int64_t ByteReader::zigzag() {
    const std::uint64_t v = varint();
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
}

std::string_view ByteReader::string() {
    const std::uint64_t n = varint();
    return raw(static_cast<std::size_t>(n));
}

std::string_view ByteReader::raw(std::size_t n) {
    if (n > rest_.size()) {
        ok_ = false;
        rest_ = {};  // so that every later read is short as well
        return {};
    }
    const std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
}

}  // namespace helios
