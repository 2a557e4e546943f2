#include "base/json.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/json_tree.h"
#include "base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace helios::json {

namespace {

/// Bytes after the document that no token may contain, so that scanning needs no bounds checks and
/// may load whole words.
constexpr std::size_t padding = 16;

constexpr bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
/// Ends a word that stands outside quotes.
constexpr bool is_delimiter(char c) {
    return is_space(c) || c == ',' || c == ':' || c == '"' || c == '[' || c == ']' || c == '{' ||
           c == '}';
}

/// The first byte at or after p that is a quote, a backslash or a control character. The padding's
/// NULs end the search.
const char* skip_plain(const char* p) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control_max = _mm_set1_epi8(0x1f);
    while (true) {
        const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i hit = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(chunk, control_max), chunk));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
        if (mask != 0) {
            return p + __builtin_ctz(mask);
        }
        p += 16;
    }
#else
    while (*p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20) {
        ++p;
    }
    return p;
#endif
}

int hex_digit(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

}  // namespace

namespace {

/// Walks the bytes once, with its own stack: depth costs heap, never the machine's stack.
class Parser {
public:
    Parser(Tree& tree, std::size_t size, const Limits& limits, bool lenient, bool valid_utf8)
        : tree_(tree),
          start_(tree.bytes.get()),
          end_(start_ + size),
          p_(start_),
          limits_(limits),
          lenient_(lenient),
          valid_utf8_(valid_utf8) {}

    bool run() {
        skip_space();
        begin_item();
        bool more = value() || skip_item();
        while (more && !open_.empty()) {
            more = step() || skip_item();
        }
        if (failed()) {
            return false;
        }
        skip_space();
        return p_ == end_ || stop("expected the end of the document");
    }

    bool failed() const { return why_ != nullptr; }
    const char* why() const { return why_; }
    const char* hint() const { return hint_; }
    std::size_t offset() const { return static_cast<std::size_t>(p_ - start_); }

private:
    struct Open {
        std::uint32_t node;
        std::uint32_t first_child;  ///< in children_
        bool object;
    };

    /// Where the tree stood when an element of the root array (or the root itself) began: limits
    /// hold from there.
    struct Item {
        const char* begin = nullptr;
        std::size_t nodes = 0, slots = 0, unescaped = 0, flaws = 0, children = 0, open = 0;
    };
    void begin_item() {
        item_ = {p_,
                 tree_.nodes.size(),
                 tree_.slots.size(),
                 tree_.unescaped.size(),
                 tree_.flaws.size(),
                 children_.size(),
                 open_.size()};
    }

    /// The item has more values than allowed: forget what was made of it, and go past it by its
    /// structure.
    bool skip_item() {
        if (!lenient_ || !too_many_) {
            return false;
        }
        too_many_ = false;
        why_ = nullptr;
        p_ = item_.begin;
        tree_.nodes.resize(item_.nodes);
        tree_.slots.resize(item_.slots);
        tree_.unescaped.resize(item_.unescaped);
        tree_.flaws.resize(item_.flaws);
        children_.resize(item_.children);
        open_.resize(item_.open);
        return skipped_value(Flaw::Kind::count, "more values than allowed");
    }

    /// A value that gets a node and nothing below it.
    bool skipped_value(Flaw::Kind kind, const char* what) {
        tree_.flaws.push_back({kind, at(), what});
        const std::uint32_t begin = at();
        if (!skip_value()) {
            return false;
        }
        fresh_ = after_comma_ = false;
        return add_node(begin, static_cast<std::uint32_t>(tree_.slots.size()), 0);
    }

    /// Past one value by its structure alone, on a stack of a byte per level.
    bool skip_value() {
        std::string due;  // the closing brackets
        while (true) {
            skip_space();
            bool fresh = *p_ == '{' || *p_ == '[';
            if (fresh) {
                due.push_back(*p_ == '{' ? '}' : ']');
                ++p_;
            } else if (!(*p_ == '"' ? skip_string() : skip_token())) {
                return false;
            }
            for (skip_space(); !due.empty() && *p_ == due.back(); skip_space()) {
                ++p_;
                due.pop_back();
                fresh = false;
            }
            if (due.empty()) {
                return true;
            }
            if (!fresh && *p_ != ',') {
                return stop(due.back() == '}' ? "expected a comma or }" : "expected a comma or ]");
            }
            p_ += fresh ? 0 : 1;
            if (due.back() == '}' && !skip_name()) {
                return false;
            }
        }
    }

    bool skip_name() {
        skip_space();
        if (*p_ != '"') {
            return stop("expected a member name in quotes");
        }
        if (!skip_string()) {
            return false;
        }
        skip_space();
        if (*p_ != ':') {
            return stop("expected a colon");
        }
        ++p_;
        return true;
    }

    bool skip_string() {
        ++p_;
        for (p_ = skip_plain(p_); *p_ != '"'; p_ = skip_plain(p_)) {
            p_ += *p_ == '\\' ? 1 : 0;
            if (p_ >= end_) {
                return stop("");
            }
            ++p_;
        }
        ++p_;
        return true;
    }

    bool skip_token() {
        const char* begin = p_;
        while (p_ < end_ && !is_delimiter(*p_)) {
            ++p_;
        }
        return p_ != begin || stop("expected a value");
    }

    bool stop(const char* why, const char* hint = "") {
        why_ = p_ >= end_ ? "the document ends early" : why;
        hint_ = hint;
        return false;
    }
    std::uint32_t at() const { return static_cast<std::uint32_t>(p_ - start_); }
    void skip_space() {
        while (is_space(*p_)) {
            ++p_;
        }
    }

    /// After an opening bracket or a comma has been read: the next member or element. After a
    /// value: comma or closing bracket.
    bool step() {
        skip_space();
        Open& top = open_.back();
        const char close = top.object ? '}' : ']';
        if (*p_ == close) {
            if (after_comma_) {
                return stop("a comma before the closing bracket");
            }
            return close_container();
        }
        if (!fresh_ && !after_comma_) {
            if (*p_ != ',') {
                return stop(top.object ? "expected a comma or }" : "expected a comma or ]");
            }
            ++p_;
            after_comma_ = true;
            return true;
        }
        children_.push_back(static_cast<std::uint32_t>(tree_.nodes.size()));
        if (lenient_ && open_.size() == 1 && !top.object) {
            begin_item();
        }
        if (top.object) {
            if (*p_ != '"') {
                return stop("expected a member name in quotes");
            }
            if (!string()) {
                return false;
            }
            skip_space();
            if (*p_ != ':') {
                return stop("expected a colon");
            }
            ++p_;
            skip_space();
        }
        return value();
    }

    bool value() {
        fresh_ = false;
        after_comma_ = false;
        skip_space();
        switch (*p_) {
            case '{':
                return open_container(true);
            case '[':
                return open_container(false);
            case '"':
                return string();
            default:
                return lenient_ ? lenient_scalar() : scalar();
        }
    }

    bool scalar() {
        switch (*p_) {
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }

    /// Whatever stands there up to the next delimiter is one value, and if it is none of JSON's, a
    /// flawed one.
    bool lenient_scalar() {
        const std::uint32_t begin = at();
        const bool good = scalar();
        if (too_many_ || (good && (p_ >= end_ || is_delimiter(*p_)))) {
            return good;
        }
        // The reader stumbles over a number's digits; what does not even begin like a value is
        // named as a whole.
        const char* what = good || p_ == start_ + begin ? "not a JSON value" : why_;
        if (good) {
            tree_.nodes.pop_back();
        }
        why_ = nullptr;
        p_ = start_ + begin;
        if (!skip_token()) {
            return false;
        }
        tree_.flaws.push_back({Flaw::Kind::token, begin, what});
        return add_node(begin, 0, 0);
    }

    bool add_node(std::uint32_t begin, std::uint32_t first, std::uint32_t size) {
        if (tree_.nodes.size() - item_.nodes >= limits_.nodes_max) {
            too_many_ = true;
            return stop("more values than allowed", "split the document");
        }
        tree_.nodes.push_back(Node{begin, at(), first, size});
        return true;
    }

    bool open_container(bool object) {
        if (open_.size() - item_.open >= limits_.depth_max) {
            return lenient_ ? skipped_value(Flaw::Kind::depth, "nested deeper than allowed")
                            : stop("nested deeper than allowed");
        }
        open_.push_back(Open{static_cast<std::uint32_t>(tree_.nodes.size()),
                             static_cast<std::uint32_t>(children_.size()), object});
        const std::uint32_t begin = at();
        ++p_;
        fresh_ = true;
        return add_node(begin, 0, 0);
    }

    bool close_container() {
        ++p_;
        const Open top = open_.back();
        open_.pop_back();
        Node& node = tree_.nodes[top.node];
        node.end = at();
        node.first = static_cast<std::uint32_t>(tree_.slots.size());
        node.size = static_cast<std::uint32_t>(children_.size()) - top.first_child;
        tree_.slots.insert(tree_.slots.end(), children_.begin() + top.first_child, children_.end());
        children_.resize(top.first_child);
        fresh_ = false;
        return true;
    }

    bool word(std::string_view expected) {
        const std::uint32_t begin = at();
        for (const char c : expected) {
            if (*p_ != c) {
                return stop("expected a value");
            }
            ++p_;
        }
        return add_node(begin, 0, 0);
    }

    bool digits() {
        if (!is_digit(*p_)) {
            return false;
        }
        while (is_digit(*p_)) {
            ++p_;
        }
        return true;
    }

    bool number() {
        const std::uint32_t begin = at();
        if (*p_ == '-') {
            ++p_;
        }
        if (*p_ == '0') {
            ++p_;
            if (is_digit(*p_)) {
                return stop("a number with a leading zero");
            }
        } else if (!digits()) {
            const bool bom = begin == 0 && std::string_view(p_, 3) == "\xef\xbb\xbf";
            return stop(at() == begin ? "expected a value" : "expected a digit",
                        bom ? "remove the byte order mark" : "");
        }
        if (*p_ == '.') {
            ++p_;
            if (!digits()) {
                return stop("expected a digit after the point");
            }
        }
        if (*p_ == 'e' || *p_ == 'E') {
            ++p_;
            if (*p_ == '+' || *p_ == '-') {
                ++p_;
            }
            if (!digits()) {
                return stop("expected a digit in the exponent");
            }
        }
        return add_node(begin, 0, 0);
    }

    bool string() {
        const std::uint32_t begin = at();
        ++p_;
        const char* plain = p_;
        p_ = skip_plain(p_);
        if (*p_ == '"' && valid_utf8_) {
            ++p_;
            return add_node(begin, 0, at() - begin - 2);
        }
        flaw_ = nullptr;
        const std::size_t first = tree_.unescaped.size();
        while (true) {
            tree_.unescaped.append(plain, p_);
            if (*p_ == '"') {
                break;
            }
            if (*p_ == '\\') {
                ++p_;
                if (!escape()) {
                    return false;
                }
            } else if (!flawed("a control character in a string",
                               "write it as an escape, for example \\n")) {
                return false;
            } else {
                ++p_;
            }
            plain = p_;
            p_ = skip_plain(p_);
        }
        ++p_;
        if (!valid_utf8_) {
            check_utf8(begin + 1, at() - 1);
        }
        if (flaw_ != nullptr) {
            tree_.flaws.push_back({Flaw::Kind::text, flaw_at_, flaw_});
            tree_.unescaped.resize(first);
        }
        return add_node(begin, static_cast<std::uint32_t>(first),
                        static_cast<std::uint32_t>(tree_.unescaped.size() - first));
    }

    /// Something in a string is wrong here: the end, unless flaws may be noted (the first of each
    /// string is).
    bool flawed(const char* what, const char* hint = "") {
        if (!lenient_ || p_ >= end_) {
            return stop(what, hint);
        }
        if (flaw_ == nullptr) {
            flaw_ = what;
            flaw_at_ = at();
        }
        return true;
    }

    void check_utf8(std::uint32_t begin, std::uint32_t end) {
        const std::string_view text(start_ + begin, end - begin);
        const auto good = static_cast<std::uint32_t>(utf8::valid_prefix(text));
        if (good < text.size() && (flaw_ == nullptr || begin + good < flaw_at_)) {
            flaw_ = "invalid UTF-8";
            flaw_at_ = begin + good;
        }
    }

    bool escape() {
        static constexpr std::string_view from = "\"\\/bfnrt";
        static constexpr std::string_view to = "\"\\/\b\f\n\r\t";
        if (*p_ == 'u') {
            ++p_;
            return unicode_escape();
        }
        const std::size_t i = from.find(*p_);
        if (i == std::string_view::npos) {
            return flawed("an unknown escape in a string");  // what follows the backslash is read
                                                             // as any other character
        }
        tree_.unescaped.push_back(to[i]);
        ++p_;
        return true;
    }

    /// Four digits; nullopt after a flaw, or after stop().
    std::optional<std::uint32_t> code_unit() {
        std::uint32_t out = 0;
        for (int i = 0; i < 4; ++i, ++p_) {
            const int digit = hex_digit(*p_);
            if (digit < 0) {
                flawed("expected four hexadecimal digits after \\u");
                return std::nullopt;
            }
            out = out << 4 | static_cast<std::uint32_t>(digit);
        }
        return out;
    }

    bool unicode_escape() {
        auto code = code_unit();
        if (!code) {
            return !failed();
        }
        if (*code >= 0xdc00 && *code <= 0xdfff) {
            return flawed("a low surrogate without a high one");
        }
        if (*code >= 0xd800 && *code <= 0xdbff) {
            if (p_[0] != '\\' || p_[1] != 'u') {
                return flawed("a high surrogate without a low one");
            }
            const char* second = p_;
            p_ += 2;
            const auto low = code_unit();
            if (!low) {
                return !failed();
            }
            if (*low < 0xdc00 || *low > 0xdfff) {
                const bool noted = flawed("a high surrogate without a low one");
                p_ = noted ? second
                           : p_;  // it may be a character of its own, or the first half of one
                return noted;
            }
            code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
        }
        utf8::append(tree_.unescaped, *code);
        return true;
    }

    Tree& tree_;
    const char* start_;
    const char* end_;
    const char* p_;
    const Limits& limits_;
    const bool lenient_;
    const bool valid_utf8_;  ///< all of it; else each string is looked at
    Item item_;
    bool too_many_ = false;
    const char* flaw_ = nullptr;  ///< of the string that is being read
    std::uint32_t flaw_at_ = 0;
    std::vector<Open> open_;
    std::vector<std::uint32_t>
        children_;        ///< of the open containers; moved to slots when one closes
    bool fresh_ = false;  ///< nothing read since the innermost opening bracket
    bool after_comma_ = false;
    const char* why_ = nullptr;
    const char* hint_ = "";
};

}  // namespace

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return "boolean";
        case Kind::number:
            return "number";
        case Kind::string:
            return "string";
        case Kind::array:
            return "array";
        case Kind::object:
            return "object";
    }
    return "unknown";
}

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view bytes, const Limits& limits) {
    return parse(bytes, limits, false);
}

Result<Document> Document::parse_lenient(std::string_view bytes, const Limits& limits) {
    return parse(bytes, limits, true);
}

Result<Document> Document::parse(std::string_view bytes, const Limits& limits, bool lenient) {
    if (bytes.size() > 0x7fff'ffff) {
        return fail(ErrorKind::invalid, "JSON: the document is larger than 2 GiB");
    }
    const bool valid_utf8 = utf8::is_valid(bytes);
    if (!valid_utf8 && !lenient) {
        return fail(ErrorKind::invalid,
                    fmt::format("JSON: invalid UTF-8 at byte {}", utf8::valid_prefix(bytes)),
                    "send UTF-8");
    }
    auto tree = std::make_unique<Tree>();
    tree->bytes = std::make_unique_for_overwrite<char[]>(bytes.size() + padding);
    std::copy_n(bytes.data(), bytes.size(), tree->bytes.get());
    std::fill_n(tree->bytes.get() + bytes.size(), padding, '\0');
    // A guess that fits ordinary events; growth doubles from there.
    const std::size_t guess = std::min<std::size_t>(bytes.size() / 10 + 8, 4'096);
    tree->nodes.reserve(guess);
    tree->slots.reserve(guess / 2);

    Parser parser(*tree, bytes.size(), limits, lenient, valid_utf8);
    if (!parser.run()) {
        return fail(ErrorKind::invalid,
                    fmt::format("JSON: {} at byte {}", parser.why(), parser.offset()),
                    parser.hint());
    }
    return Document(std::move(tree));
}

}  // namespace helios::json
