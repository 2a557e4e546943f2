#pragma once
/// JSON in and out.
///
/// In: a whole document is parsed and validated once, into a flat tree that keeps what others lose:
/// the exact bytes of every value, numbers as written, member order, and duplicate keys. (Our own
/// scanner, over simdjson's UTF-8 validation: On-Demand neither validates what is skipped nor hands
/// out the bytes of a container without walking it twice.) Out: a writer that produces compact JSON
/// in call order.
///
/// Limits guard memory: depth (default 512 levels), nodes (default 4 Mi; a member counts twice, for
/// key and value), 2 GiB. Invalid UTF-8, a raw NUL or another control character in a string, a lone
/// surrogate escape, trailing bytes and malformed numbers are invalid. The escape of U+0000 is
/// valid JSON: text() may hold a NUL. Number *size* is not judged here: 1e400 and 40 digits are
/// numbers; who needs a value asks Decimal.
///
/// parse_lenient is for documents of many strangers' values, where one's fault must not hide the
/// others: it insists on the structure only (brackets, commas, colons, quotes) and notes what is
/// wrong inside a value, so that each value can be asked: flaw().

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "base/result.h"

namespace helios::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
std::string_view to_string(Kind kind);

struct Limits {
    std::uint32_t depth_max = 512;
    std::uint32_t nodes_max = 4u << 20;
};

/// What is wrong inside one value of a document that parse_lenient took.
struct Flaw {
    enum class Kind : std::uint8_t {
        text,   ///< of a string or a member's name: no UTF-8, an escape that is no character, a raw
                ///< control character
        token,  ///< neither in quotes nor a number, true, false or null: NaN, 01, +1
        depth,  ///< nested deeper than allowed
        count,  ///< more values than allowed
    };
    Kind kind = Kind::text;
    std::uint32_t offset = 0;  ///< from the first byte of the value that was asked
    const char* what = "";     ///< "invalid UTF-8"; static
};

class Document;
struct Tree;  // a parsed document; defined in json.cpp

/// A view of one value. Cheap to copy; valid while its Document, moved or not, lives.
/// Default-constructed: absent.
class Value {
public:
    Value() = default;

    bool present() const { return tree_ != nullptr; }
    explicit operator bool() const { return present(); }
    Kind kind() const;  ///< must be present
    bool is(Kind k) const { return present() && kind() == k; }
    bool is_object() const { return is(Kind::object); }
    bool is_array() const { return is(Kind::array); }
    bool is_string() const { return is(Kind::string); }
    bool is_number() const { return is(Kind::number); }
    bool is_null() const { return is(Kind::null); }

    /// The exact bytes of the value as written, without surrounding whitespace; empty if absent.
    std::string_view raw() const;

    /// Scalars: the string's characters, unescaped; a number as written; "true"/"false"/"null".
    /// Empty for containers and absent values.
    std::string_view text() const;

    bool boolean() const { return text() == "true"; }

    std::size_t size() const;  ///< elements or members; 0 for scalars
    Value at(std::size_t index)
        const;  ///< i-th element, or i-th member's value, in O(1); absent if out of range
    std::string_view key_at(std::size_t index) const;  ///< i-th member's key, unescaped

    /// First member with this key, or absent. (O(members); objects are small. Large ones get no
    /// index.)
    Value find(std::string_view key) const;
    /// True if this object has the key more than once.
    bool has_duplicate(std::string_view key) const;
    /// Any duplicate key in this object itself (not in nested ones).
    bool has_duplicate_keys() const;

    /// The first flaw inside this value; only documents of parse_lenient have any. Flawed strings,
    /// names and tokens read as empty, containers with too much in them as empty too; raw() has
    /// every byte. A value without a flaw is one that parse() takes.
    std::optional<Flaw> flaw() const;

private:
    friend class Document;
    Value(const Tree* tree, std::uint32_t node) : tree_(tree), node_(node) {}
    const Tree* tree_ = nullptr;
    std::uint32_t node_ = 0;
};

/// Owns the bytes and the tree. Movable; views stay valid across moves (state is behind a pointer).
class Document {
public:
    /// Copies `bytes`. invalid: not one JSON document within the limits; `what` names the byte
    /// offset.
    static Result<Document> parse(std::string_view bytes, const Limits& limits = {});

    /// As parse, but only what breaks the structure is an error. Limits hold for each element if
    /// the document is an array, else for all of it.
    static Result<Document> parse_lenient(std::string_view bytes, const Limits& limits = {});

    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

    Value root() const;

private:
    static Result<Document> parse(std::string_view bytes, const Limits& limits, bool lenient);
    explicit Document(std::unique_ptr<Tree> tree);
    std::unique_ptr<Tree> tree_;
};

/// Canonical text: object members sorted by key bytes (duplicates keep their order), no whitespace,
/// numbers as written, strings re-escaped minimally. Equal canonical texts are equal content for
/// deduplication.
std::string canonical(Value value);

/// Appends `text` as a JSON string with quotes. Input must be UTF-8; invalid sequences become
/// U+FFFD.
void append_string(std::string& out, std::string_view text);

/// Compact JSON in call order. Keys inside objects only; commas and quotes are the writer's
/// business.
///   Writer w; w.begin_object().key("a").string("x").key("n").number(3).end_object(); w.take()
class Writer {
public:
    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);
    Writer& string(std::string_view text);
    Writer& number(std::int64_t value);
    Writer& number_u64(std::uint64_t value);
    Writer& real(double value);  ///< shortest round-trip, without an exponent; NaN and infinities
                                 ///< become null
    Writer& boolean(bool value);
    Writer& null();
    Writer& raw(std::string_view json);  ///< already valid JSON, inserted as it is

    // Members in one call: field("name", …)
    Writer& field(std::string_view name, std::string_view text) { return key(name).string(text); }
    Writer& field(std::string_view name, const char* text) { return key(name).string(text); }
    Writer& field(std::string_view name, std::int64_t value) { return key(name).number(value); }
    Writer& field(std::string_view name, int value) { return key(name).number(value); }
    Writer& field(std::string_view name, std::uint64_t value) {
        return key(name).number_u64(value);
    }
    Writer& field(std::string_view name, bool value) { return key(name).boolean(value); }

    const std::string& view() const { return out_; }
    std::string take() { return std::move(out_); }

private:
    void separate();
    std::string out_;
    bool needs_comma_ = false;
};

}  // namespace helios::json
