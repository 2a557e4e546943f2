#include "model/position.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/position_bytes.h"
#include "model/topics.h"

namespace helios::model {
namespace {

constexpr std::uint8_t token_version = 2;
constexpr std::uint8_t kind_record = 1;
constexpr std::uint8_t kind_vector = 2;  // of several records, in order of their partitions
constexpr std::size_t check_bytes = 2;
constexpr std::size_t text_bytes_max = 24u << 10;

std::string checksum_of(std::string_view body) {
    const auto crc = crc32c(body);
    return {static_cast<char>(crc & 0xff), static_cast<char>((crc >> 8) & 0xff)};
}

/// How much later; wraps as a hostile time may.
std::int64_t since(Instant later, Instant earlier) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(to_nanos(later)) -
                                     static_cast<std::uint64_t>(to_nanos(earlier)));
}

Instant plus(Instant at, std::int64_t nanos) {
    return from_nanos(static_cast<std::int64_t>(static_cast<std::uint64_t>(to_nanos(at)) +
                                                static_cast<std::uint64_t>(nanos)));
}

void write_record(ByteWriter& out, const PositionToken& token, Instant since_then) {
    write_position(out, token.pointer);
    out.zigzag(since(token.log_time, since_then));
}

/// False: no partition of a log.
bool read_record(ByteReader& in, PositionToken& token, Instant since_then) {
    token.pointer = read_position(in);
    token.log_time = plus(since_then, in.zigzag());
    return in.ok() && !name_of(token.pointer.partition.topic).empty();
}

std::string text_of(std::string body) {
    body += checksum_of(body);
    return base64url_encode(body);
}

std::string encode_vector(const std::vector<PositionToken>& tokens) {
    ByteWriter out;
    out.u8(token_version);
    out.u8(kind_vector);
    out.u32(tokens.front().log);
    out.varint(tokens.size());
    Instant before{};
    for (const PositionToken& token : tokens) {
        HELIOS_ASSERT(token.log == tokens.front().log, "positions of one text are of one log");
        write_record(out, token, before);
        before = token.log_time;
    }
    return text_of(out.take());
}

/// False: not one of ours.
bool read_vector(ByteReader& in, std::uint32_t log, std::vector<PositionToken>& tokens) {
    const std::uint64_t count = in.varint();
    if (count < 2 || count > positions_max) {
        return false;
    }
    Instant before{};
    while (tokens.size() < count) {
        PositionToken token{log, {}, {}};
        if (!read_record(in, token, before) ||
            (!tokens.empty() && tokens.back().pointer.partition >= token.pointer.partition)) {
            return false;
        }
        before = token.log_time;
        tokens.push_back(token);
    }
    return true;
}

std::unexpected<Error> refused() {
    return fail(ErrorKind::invalid, "not a position of this server",
                "pass the `position` or `Helios-Position` of an answer, unchanged");
}

}  // namespace

std::string encode_position(const PositionToken& token) {
    ByteWriter out;
    out.u8(token_version);
    out.u8(kind_record);
    out.u32(token.log);
    write_record(out, token, Instant{});
    return text_of(out.take());
}

std::string encode_positions(std::vector<PositionToken> tokens) {
    std::sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.pointer.partition, b.pointer.offset) <
               std::tuple(b.pointer.partition, a.pointer.offset);
    });
    const auto rest =
        std::unique(tokens.begin(), tokens.end(), [](const auto& last, const auto& earlier) {
            return last.pointer.partition == earlier.pointer.partition;
        });
    tokens.erase(rest, tokens.end());
    if (tokens.empty() || tokens.size() > positions_max) {
        return {};
    }
    return tokens.size() == 1 ? encode_position(tokens.front()) : encode_vector(tokens);
}

Result<std::vector<PositionToken>> decode_positions(std::string_view text) {
    std::string bytes;
    if (text.size() > text_bytes_max || !base64_decode(text, bytes) ||
        bytes.size() <= check_bytes) {
        return refused();
    }
    const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - check_bytes);
    if (checksum_of(body) != std::string_view(bytes).substr(body.size())) {
        return refused();
    }
    ByteReader in(body);
    const auto version = in.u8();
    const auto kind = in.u8();
    const auto log = in.u32();
    std::vector<PositionToken> tokens;
    bool good = version == token_version;
    if (kind == kind_record) {
        tokens.push_back({log, {}, {}});
        good = good && read_record(in, tokens.front(), Instant{});
    } else {
        good = good && kind == kind_vector && read_vector(in, log, tokens);
    }
    if (!good || !in.at_end()) {
        return refused();
    }
    return tokens;
}

Result<PositionToken> decode_position(std::string_view text) {
    HELIOS_TRY_ASSIGN(const auto tokens, decode_positions(text));
    if (tokens.size() != 1) {
        return refused();
    }
    return tokens.front();
}

}  // namespace helios::model
