#include "base/shown.h"

#include <fmt/format.h>
#include <iterator>

#include "base/hash.h"
#include "base/utf8.h"

namespace helios {

std::string shown(std::string_view text, std::size_t bytes_max) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto rest = text.substr(at);
        const std::size_t length = utf8::sequence_length(rest);
        const std::size_t taken = length == 0 ? 1 : length;
        if (at + taken > bytes_max) {
            return out += "…";
        }
        at += taken;
        const char c = rest.front();
        if (length == 0) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
        } else if (c == '"' || c == '\\') {
            out.append(1, '\\').append(1, c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
        } else if (const auto code_point = utf8::steering(rest)) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", *code_point);
        } else {
            out.append(rest.substr(0, taken));
        }
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
