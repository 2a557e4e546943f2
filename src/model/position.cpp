#include "model/position.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/topics.h"

namespace helios::model {
namespace {

constexpr std::uint8_t token_version = 1;
constexpr std::size_t check_bytes = 2;

std::string checksum_of(std::string_view body) {
    const auto crc = crc32c(body);
    return {static_cast<char>(crc & 0xff), static_cast<char>((crc >> 8) & 0xff)};
}

}  // namespace

std::string encode_position(const PositionToken& token) {
    std::uint8_t index = 0xff;
    for (std::size_t i = 0; i < all_topics.size(); ++i) {
        if (all_topics[i].name == token.pointer.topic) {
            index = static_cast<std::uint8_t>(i);
        }
    }
    ByteWriter out;
    out.u8(token_version);
    out.u8(index);
    out.varint(token.pointer.partition);
    out.varint(token.pointer.offset);
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
    const auto index = in.u8();
    PositionToken token;
    token.pointer.partition = static_cast<std::uint32_t>(in.varint());
    token.pointer.offset = in.varint();
    token.log_time = from_nanos(in.zigzag());
    if (!in.at_end() || version != token_version || index >= all_topics.size()) {
        return refuse();
    }
    token.pointer.topic = all_topics[index].name;
    return token;
}

}  // namespace helios::model
