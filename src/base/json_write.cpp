#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "base/utf8.h"

namespace helios::json {
namespace {

/// Bytes that cannot be copied into a JSON string as they are; those of UTF-8 sequences because they must be checked.
constexpr std::array<bool, 256> needs_care = [] {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < 256; ++i) table[i] = i < 0x20 || i == '"' || i == '\\' || i >= 0x80;
    return table;
}();

void append_escape(std::string& out, unsigned char c) {
    static constexpr char hex[] = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default:
            out += "\\u00";
            out.push_back(hex[c >> 4]);
            out.push_back(hex[c & 15]);
    }
}

/// A container whose text is being written.
struct Open {
    Value container;
    std::size_t next = 0;         ///< how many children are written
    std::size_t order_begin = 0;  ///< objects: where its member order starts in the shared stack
};

void append_scalar(std::string& out, Value value) {
    if (value.is_string()) {
        append_string(out, value.text());
    } else {
        out += value.raw();
    }
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
    out.push_back('"');
    std::size_t plain = 0;  // start of what is not yet copied
    std::size_t i = 0;
    while (i < text.size()) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (!needs_care[c]) {
            ++i;
            continue;
        }
        const std::size_t sequence = c >= 0x80 ? utf8::sequence_length(text.substr(i)) : 0;
        if (sequence > 0) {
            i += sequence;
            continue;
        }
        out.append(text, plain, i - plain);
        if (c >= 0x80) {
            utf8::append(out, 0xfffd);
        } else {
            append_escape(out, c);
        }
        plain = ++i;
    }
    out.append(text, plain, text.size() - plain);
    out.push_back('"');
}

std::string canonical(Value value) {
    std::string out;
    if (!value.present()) return out;
    out.reserve(value.raw().size());
    std::vector<Open> open;           // not the machine's stack: a document may be as deep as its limits allowed
    std::vector<std::uint32_t> order;  // member orders of the open objects, innermost last
    const auto begin = [&](Value v) {
        if (!v.is_object() && !v.is_array()) return append_scalar(out, v);
        out.push_back(v.is_object() ? '{' : '[');
        open.push_back(Open{v, 0, order.size()});
        if (!v.is_object()) return;
        order.resize(order.size() + v.size());
        const auto mine = order.end() - static_cast<std::ptrdiff_t>(v.size());
        std::iota(mine, order.end(), 0u);
        std::stable_sort(mine, order.end(), [&](std::uint32_t a, std::uint32_t b) { return v.key_at(a) < v.key_at(b); });
    };
    begin(value);
    while (!open.empty()) {
        Open& top = open.back();
        const bool object = top.container.is_object();
        if (top.next == top.container.size()) {
            out.push_back(object ? '}' : ']');
            order.resize(top.order_begin);
            open.pop_back();
            continue;
        }
        if (top.next > 0) out.push_back(',');
        std::size_t child = top.next++;
        if (object) {
            child = order[top.order_begin + child];
            append_string(out, top.container.key_at(child));
            out.push_back(':');
        }
        begin(top.container.at(child));
    }
    return out;
}

void Writer::separate() {
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = true;
}

Writer& Writer::begin_object() {
    separate();
    out_.push_back('{');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::end_object() {
    out_.push_back('}');
    needs_comma_ = true;
    return *this;
}

Writer& Writer::begin_array() {
    separate();
    out_.push_back('[');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::end_array() {
    out_.push_back(']');
    needs_comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    append_string(out_, name);
    out_.push_back(':');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::string(std::string_view text) {
    separate();
    append_string(out_, text);
    return *this;
}

Writer& Writer::number(std::int64_t value) {
    separate();
    char buffer[24];
    out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
    return *this;
}

Writer& Writer::number_u64(std::uint64_t value) {
    separate();
    char buffer[24];
    out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
    return *this;
}

Writer& Writer::real(double value) {
    if (!std::isfinite(value)) return null();
    separate();
    char buffer[40];
    out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
    return *this;
}

Writer& Writer::boolean(bool value) {
    separate();
    out_ += value ? "true" : "false";
    return *this;
}

Writer& Writer::null() {
    separate();
    out_ += "null";
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace helios::json
