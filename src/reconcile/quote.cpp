#include "reconcile/quote.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>

#include "base/utf8.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t characters_max = 60;

std::uint32_t code_point(std::string_view sequence) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(sequence[i])); };
    switch (sequence.size()) {
        case 1:
            return byte(0);
        case 2:
            return (byte(0) & 0x1fu) << 6 | (byte(1) & 0x3fu);
        case 3:
            return (byte(0) & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu);
        default:
            return (byte(0) & 0x07u) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu);
    }
}

bool plain(std::uint32_t c) {
    struct Range {
        std::uint32_t first, last;
    };
    // Controls, blanks that look like U+0020 or like nothing, line and paragraph separators, directions, the byte order mark.
    static constexpr std::array<Range, 10> hidden{{{0x00, 0x1f},
                                                   {0x7f, 0xa0},
                                                   {0xad, 0xad},
                                                   {0x61c, 0x61c},
                                                   {0x2000, 0x200f},
                                                   {0x2028, 0x202f},
                                                   {0x205f, 0x206f},
                                                   {0x3000, 0x3000},
                                                   {0xfeff, 0xfeff},
                                                   {0xfff9, 0xfffb}}};
    for (const Range& range : hidden) {
        if (c >= range.first && c <= range.last) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    std::size_t characters = 0;
    while (!text.empty() && characters < characters_max) {
        const std::size_t length = utf8::sequence_length(text);
        const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
        text.remove_prefix(sequence.size());
        ++characters;
        if (length == 0) {
            out += fmt::format("\\x{:02X}", static_cast<unsigned>(static_cast<unsigned char>(sequence[0])));
        } else if (sequence == "\"" || sequence == "\\") {
            out += "\\" + std::string(sequence);
        } else if (const std::uint32_t c = code_point(sequence); !plain(c)) {
            out += fmt::format("\\u{:04X}", c);
        } else {
            out += sequence;
        }
    }
    return out + (text.empty() ? "\"" : "…\"");
}

std::string named(std::string_view text) {
    const bool word = !text.empty() && text.size() <= 2 * characters_max &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '"'; });
    return word ? std::string(text) : in_quotes(text);
}

}  // namespace helios::reconcile
