#include "base/shown.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "base/hash.h"
#include "base/utf8.h"

namespace helios {

namespace {

using Hidden = std::optional<std::uint32_t> (*)(std::string_view);

/// The character at the start of `rest`, of `length` bytes (0: a byte that is no UTF-8), as it is
/// or as an escape.
void append_visible(std::string& out, std::string_view rest, std::size_t length, Hidden hidden) {
    const char c = rest.front();
    if (length == 0) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else if (c == '\n' || c == '\r' || c == '\t') {
        out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (const auto code_point = hidden(rest)) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", *code_point);
    } else {
        out.append(rest.substr(0, length));
    }
}

}  // namespace

std::string shown(std::string_view text, std::size_t bytes_max) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto rest = text.substr(at);
        const std::size_t length = utf8::sequence_length(rest);
        at += std::max<std::size_t>(length, 1);
        if (at > bytes_max) {
            return out += "…";
        }
        if (rest.front() == '"' || rest.front() == '\\') {
            out.push_back('\\');
        }
        append_visible(out, rest, length, utf8::unseen);
    }
    return out;
}

std::string one_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8::sequence_length(text);
        append_visible(out, text, length, utf8::steering);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string printable(std::string_view text, std::string_view keep) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8::sequence_length(text);
        const std::size_t taken = length == 0 ? 1 : length;
        const bool kept = keep.find(text.front()) != std::string_view::npos;
        if (length > 0 && (kept || !utf8::steering(text))) {
            out.append(text.substr(0, taken));
        } else {
            out.push_back('?');
        }
        text.remove_prefix(taken);
    }
    return out;
}

void write_bytes(json::Writer& out, std::string_view name, std::string_view bytes) {
    const bool text = utf8::is_valid(bytes);
    out.field(name, text ? bytes : std::string_view(base64_encode(bytes)));
    out.field(std::string(name) + "Encoding", text ? "utf-8" : "base64");
}

}  // namespace helios
