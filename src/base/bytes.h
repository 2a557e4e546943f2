#pragma once
/// Little-endian byte encoding for records: varints, length-prefixed strings. A reader never throws
/// and never reads past its end: after the first shortage every read answers zero/empty and ok() is
/// false.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace helios {

class ByteWriter {
public:
    ByteWriter() = default;
    /// Goes on at its end, in its room.
    explicit ByteWriter(std::string begun) : out_(std::move(begun)) {}

    void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
    void u16(std::uint16_t v) { fixed(v, 2); }
    void u32(std::uint32_t v) { fixed(v, 4); }
    void u64(std::uint64_t v) { fixed(v, 8); }
    void varint(std::uint64_t v);  ///< LEB128
    void zigzag(std::int64_t v);   ///< zigzag LEB128
    void boolean(bool v) { u8(v ? 1 : 0); }
    void string(std::string_view s);  ///< varint length, then the bytes
    void raw(std::string_view s) { out_.append(s); }

    std::size_t size() const { return out_.size(); }
    const std::string& view() const { return out_; }
    std::string take() { return std::move(out_); }

private:
    void fixed(std::uint64_t v, int bytes);
    std::string out_;
};

class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
    std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
    std::uint64_t u64() { return fixed(8); }
    std::uint64_t varint();
    std::int64_t zigzag();
    bool boolean() { return u8() != 0; }
    std::string_view string();
    std::string_view raw(std::size_t n);

    /// What was read makes no sense: ok() is false from here on.
    void spoil() { ok_ = false; }
    bool ok() const { return ok_; }
    bool at_end() const { return ok_ && rest_.empty(); }
    std::string_view rest() const { return rest_; }

private:
    std::uint64_t fixed(int bytes);
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace helios
