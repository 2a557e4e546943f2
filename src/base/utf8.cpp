#include "base/utf8.h"

#include <simdjson.h>

namespace helios::utf8 {

bool is_valid(std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
        return text.empty() ? 0 : 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return continues(1) ? 2 : 0;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned least = lead == 0xe0 ? 0xa0 : 0x80;  // below: overlong
        const unsigned most = lead == 0xed ? 0x9f : 0xbf;   // above: surrogates
        return byte(1) >= least && byte(1) <= most && continues(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned least = lead == 0xf0 ? 0x90 : 0x80;  // below: overlong
        const unsigned most = lead == 0xf4 ? 0x8f : 0xbf;   // above: beyond U+10FFFF
        return byte(1) >= least && byte(1) <= most && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

namespace {

/// The character at the start of `text`, of at most three bytes; nothing: none, a longer one, or no
/// UTF-8.
std::optional<std::uint32_t> short_code_point(std::string_view text) {
    const std::size_t length = text.empty() ? 0 : sequence_length(text);
    if (length == 0 || length > 3) {
        return std::nullopt;
    }
    static constexpr std::uint32_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f};
    std::uint32_t code = static_cast<unsigned char>(text[0]) & lead_bits[length];
    for (std::size_t i = 1; i < length; ++i) {
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    }
    return code;
}

}  // namespace

std::optional<std::uint32_t> steering(std::string_view text) {
    const auto code = short_code_point(text);
    if (!code) {
        return std::nullopt;
    }
    const std::uint32_t c = *code;
    const bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
    const bool direction = c == 0x061c || c == 0x200e || c == 0x200f ||
                           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    const bool line = c == 0x2028 || c == 0x2029;
    return control || direction || line || c == 0xfeff ? code : std::nullopt;
}

std::optional<std::uint32_t> unseen(std::string_view text) {
    const auto code = short_code_point(text);
    if (!code || steering(text)) {
        return code;
    }
    const std::uint32_t c = *code;
    const bool blank =
        c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000;
    const bool nothing = c == 0xad || (c >= 0x200b && c <= 0x200d) ||
                         (c >= 0x2060 && c <= 0x206f) || (c >= 0xfff9 && c <= 0xfffb);
    return blank || nothing ? code : std::nullopt;
}

std::size_t valid_prefix(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = sequence_length(text.substr(at));
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

void append(std::string& out, std::uint32_t code_point) {
    const auto put = [&](std::uint32_t byte) {
        out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
    };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xc0 | code_point >> 6);
        put(0x80 | (code_point & 0x3f));
    } else if (code_point < 0x10000) {
        put(0xe0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3f));
        put(0x80 | (code_point & 0x3f));
    } else {
        put(0xf0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3f));
        put(0x80 | (code_point >> 6 & 0x3f));
        put(0x80 | (code_point & 0x3f));
    }
}

}  // namespace helios::utf8
