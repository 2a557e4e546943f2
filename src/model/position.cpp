#include "model/position.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/topics.h"

namespace helios::model {
namespace {

constexpr std::uint8_t token_version = 2;
constexpr std::uint8_t kind_record = 1;  // of one record; others are vectors of offsets
constexpr std::size_t check_bytes = 2;

std::string checksum_of(std::string_view body) {
    const auto crc = crc32c(body);
    return {static_cast<char>(crc & 0xff), static_cast<char>((crc >> 8) & 0xff)};
}

}  // namespace

std::string encode_position(const PositionToken& token) {
    ByteWriter out;
    out.u8(token_version);
    out.u8(kind_record);
    out.u32(token.log);
    out.u8(static_cast<std::uint8_t>(token.pointer.partition.topic));
    out.varint(token.pointer.partition.index);
    out.varint(token.pointer.offset.value);
    out.zigzag(to_nanos(token.log_time));
    const auto body = out.take();
    auto text = base64_encode(body + checksum_of(body));
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    text.erase(std::find(text.begin(), text.end(), '='), text.end());
    return text;
}

Result<PositionToken> decode_position(std::string_view text) {
    const auto refuse = [] {
        return fail(ErrorKind::invalid, "not a position of this server",
                    "pass the `position` or `Helios-Position` of an answer, unchanged");
    };
    std::string bytes;
    if (text.size() > 128 || !base64_decode(text, bytes) || bytes.size() <= check_bytes) {
        return refuse();
    }
    const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - check_bytes);
    if (checksum_of(body) != std::string_view(bytes).substr(body.size())) {
        return refuse();
    }
    ByteReader in(body);
    const auto version = in.u8();
    const auto kind = in.u8();
    PositionToken token{in.u32(), {}, {}};
    token.pointer.partition.topic = static_cast<TopicId>(in.u8());
    token.pointer.partition.index = static_cast<std::uint32_t>(in.varint());
    token.pointer.offset.value = in.varint();
    token.log_time = from_nanos(in.zigzag());
    if (!in.at_end() || version != token_version || kind != kind_record ||
        name_of(token.pointer.partition.topic).empty()) {
        return refuse();
    }
    return token;
}

}  // namespace helios::model
