#include "model/tagged_fields.h"

namespace helios::model {

void write_fields(ByteWriter& out,
                  std::initializer_list<std::pair<FieldTag, std::string_view>> known,
                  const UnknownFields& unknown) {
    auto next = unknown.begin();
    const auto write = [&](std::uint32_t tag, std::string_view bytes) {
        if (!bytes.empty()) {
            out.varint(tag);
            out.string(bytes);
        }
    };
    for (const auto& [tag, bytes] : known) {
        const auto number = static_cast<std::uint32_t>(tag);
        for (; next != unknown.end() && next->first < number; ++next) {
            write(next->first, next->second);
        }
        write(number, bytes);
    }
    for (; next != unknown.end(); ++next) {
        write(next->first, next->second);
    }
}

bool FieldReader::next() {
    if (!in_.ok() || in_.at_end()) {
        return false;
    }
    const auto tag = in_.varint();
    bytes_ = in_.string();
    if (tag <= tag_ || tag > UINT32_MAX || bytes_.empty()) {
        in_.spoil();
        return false;
    }
    tag_ = static_cast<std::uint32_t>(tag);
    return true;
}

}  // namespace helios::model
