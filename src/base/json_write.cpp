#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>

#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace helios::json {
namespace {

/// Bytes that cannot be copied into a JSON string as they are; those of UTF-8 sequences because
/// they must be checked.
constexpr std::array<bool, 256> needs_care = [] {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < 256; ++i) {
        table[i] = i < 0x20 || i == '"' || i == '\\' || i >= 0x80;
    }
    return table;
}();

void append_escape(std::string& out, unsigned char c) {
    static constexpr char hex[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out.push_back(hex[c >> 4]);
            out.push_back(hex[c & 15]);
    }
}

/// Whether one of eight bytes needs care.
bool any_needs_care(const char* bytes) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x80 * ones;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    const auto zeros = [](std::uint64_t w) { return (w - ones) & ~w; };  // in their high bits
    const std::uint64_t below_space = (word - 0x20 * ones) & ~word;
    return ((word | below_space | zeros(word ^ '"' * ones) | zeros(word ^ '\\' * ones)) & highs) !=
           0;
}

/// First position at or after `at` that needs care, or the end.
std::size_t skip_plain(std::string_view text, std::size_t at) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');
    for (; at + 16 <= text.size(); at += 16) {
        const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
        const __m128i quoted =
            _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash));
        const __m128i low =
            _mm_cmplt_epi8(chunk, space);  // signed: bytes from 0x80 are below as well
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(quoted, low)));
        if (mask != 0) {
            return at + static_cast<std::size_t>(__builtin_ctz(mask));
        }
    }
#endif
    // What is left is short: in at most two steps, the second of which looks at some bytes again.
    constexpr std::size_t step = sizeof(std::uint64_t);
    if (at + step <= text.size() && !any_needs_care(text.data() + at)) {
        at += step;
    }
    if (text.size() - at < step && text.size() >= step &&
        !any_needs_care(text.data() + text.size() - step)) {
        return text.size();
    }
    while (at < text.size() && !needs_care[static_cast<unsigned char>(text[at])]) {
        ++at;
    }
    return at;
}

struct Member {
    std::string_view key;
    std::uint32_t index;
};

/// A container whose text is being written.
struct Open {
    Value container;
    std::size_t size = 0;
    std::size_t next = 0;           ///< how many children are written
    std::size_t members_begin = 0;  ///< objects: where its members start in the shared stack
    bool object = false;
};

}  // namespace

void append_string(std::string& out, std::string_view text) {
    std::size_t i = skip_plain(text, 0);
    if (i == text.size()) {
        const std::size_t before = out.size();
        const std::size_t after = before + text.size() + 2;
        // GCC 12.2 names a larger size there when it had to allocate: nothing is made of it.
        out.resize_and_overwrite(after, [&](char* at, std::size_t) {
            at[before] = '"';
            std::copy_n(text.data(), text.size(), at + before + 1);
            at[after - 1] = '"';
            return after;
        });
        return;
    }
    out.push_back('"');
    std::size_t plain = 0;  // start of what is not yet copied
    for (; i < text.size(); i = skip_plain(text, i)) {
        const auto c = static_cast<unsigned char>(text[i]);
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

namespace {

/// Canonical text, written where there is room for it: it is never longer than what was parsed. For
/// every event that comes in, hence no allocation but that of the text.
class Canonical {
public:
    Canonical(Value value, char* at, std::size_t room) : at_(at), end_(at + room) {
        open_.reserve(16);
        members_.reserve(64);
        begin(value);
        while (!open_.empty()) {
            go_on();
        }
    }
    char* written_to() const { return at_; }

private:
    void put(char c) {
        HELIOS_ASSERT(at_ < end_, "canonical text is never longer");
        *at_++ = c;
    }
    void put(std::string_view text) {
        HELIOS_ASSERT(text.size() <= static_cast<std::size_t>(end_ - at_),
                      "canonical text is never longer");
        at_ = std::copy_n(text.data(), text.size(), at_);
    }

    void put_string(std::string_view text) {
        if (skip_plain(text, 0) == text.size()) {
            put('"');
            put(text);
            put('"');
            return;
        }
        std::string escaped;
        append_string(escaped, text);
        put(escaped);
    }

    void begin(Value v) {
        const Kind kind = v.kind();
        const std::string_view raw = v.raw();
        if (kind == Kind::string) {
            const std::string_view text = v.text();
            // Without an escape it is what append_string would make of it.
            return text.size() + 2 == raw.size() ? put(raw) : put_string(text);
        }
        if (kind != Kind::object && kind != Kind::array) {
            return put(raw);
        }
        const bool object = kind == Kind::object;
        const std::size_t size = v.size();
        put(object ? '{' : '[');
        open_.push_back(Open{v, size, 0, members_.size(), object});
        if (!object) {
            return;
        }
        for (std::uint32_t i = 0; i < size; ++i) {
            members_.push_back(Member{v.key_at(i), i});
        }
        std::sort(members_.end() - static_cast<std::ptrdiff_t>(size), members_.end(), comes_before);
    }

    void go_on() {
        Open& top = open_.back();
        if (top.next == top.size) {
            put(top.object ? '}' : ']');
            members_.resize(top.members_begin);
            open_.pop_back();
            return;
        }
        if (top.next > 0) {
            put(',');
        }
        std::size_t child = top.next++;
        if (top.object) {
            const Member& member = members_[top.members_begin + child];
            child = member.index;
            put_string(member.key);
            put(':');
        }
        begin(top.container.at(child));
    }

    static bool comes_before(const Member& a, const Member& b) {
        if (!a.key.empty() && !b.key.empty() && a.key[0] != b.key[0]) {
            return static_cast<unsigned char>(a.key[0]) < static_cast<unsigned char>(b.key[0]);
        }
        const int keys = a.key.compare(b.key);
        return keys != 0 ? keys < 0 : a.index < b.index;
    }

    char* at_;
    char* const end_;
    // Not the machine's stack: a document may be as deep as its limits allowed. But an ordinary one
    // finds its place there.
    std::array<std::byte, 4'096> near_;
    std::pmr::monotonic_buffer_resource arena_{near_.data(), near_.size()};
    std::pmr::vector<Open> open_{&arena_};
    std::pmr::vector<Member> members_{&arena_};  ///< of the open objects in order, innermost last
};

}  // namespace

std::string canonical(Value value) {
    std::string out;
    if (value.present()) {
        const std::size_t room = value.raw().size();
        out.resize_and_overwrite(room, [&](char* at, std::size_t) {
            return Canonical(value, at, room).written_to() - at;
        });
    }
    return out;
}

namespace {

constexpr std::size_t first_bytes = 1000;  // for most documents enough, so that they never move

}  // namespace

void Writer::separate() {
    if (needs_comma_) {
        out_.push_back(',');
    }
    needs_comma_ = true;
}

Writer& Writer::begin_object() {
    if (out_.empty()) {
        out_.reserve(first_bytes);
    }
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
    if (!std::isfinite(value)) {
        return null();
    }
    separate();
    char buffer[1100];  // the least double has 1074 decimal places, of which the shortest form
                        // writes some 340
    out_.append(buffer,
                std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr);
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
