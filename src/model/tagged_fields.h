#pragma once
/// The end of a record: fields that may come later without another version of the encoding. Each is
/// (tag, length, bytes), tags rise. A reader keeps what it does not know, and writes it again.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace helios::model {

/// Numbers are stored, and mean the same in every record type. Never reused.
enum class FieldTag : std::uint32_t {
    customer = 1,
    trace = 2,
    // Reserved: known by name, written by nobody yet.
    schema_id = 3,
    payload_key_id = 4,
    seen = 5,
    replay_id = 6,
    original_at = 7,
    process = 8,
    origin = 9,
    // Written.
    content = 10,
};

/// tag → bytes, of tags that this version does not know.
using UnknownFields = std::map<std::uint32_t, std::string>;

/// `known` in the order of its tags; empty ones are left out.
void write_fields(ByteWriter& out,
                  std::initializer_list<std::pair<FieldTag, std::string_view>> known,
                  const UnknownFields& unknown);

/// One field, or nothing at the end. A tag that does not rise, and an empty field, spoil the
/// reader.
class FieldReader {
public:
    explicit FieldReader(ByteReader& in) : in_(in) {}
    bool next();
    FieldTag tag() const { return static_cast<FieldTag>(tag_); }
    std::string_view bytes() const { return bytes_; }
    void keep(UnknownFields& unknown) const { unknown.emplace(tag_, bytes_); }

private:
    ByteReader& in_;
    std::uint32_t tag_ = 0;
    std::string_view bytes_;
};

}  // namespace helios::model
