#include "model/engine_level.h"

#include "base/bytes.h"

namespace helios::model {

std::string encode(const EngineLevel& level) {
    ByteWriter out;
    out.varint(level.level);
    write_fields(out, {}, level.unknown);
    return out.take();
}

Result<EngineLevel> decode_engine_level(std::string_view bytes) {
    ByteReader in(bytes);
    EngineLevel level;
    const auto number = in.varint();
    for (FieldReader field(in); field.next();) {
        field.keep(level.unknown);
    }
    if (!in.at_end() || number == 0 || number > UINT32_MAX) {
        return fail(ErrorKind::corrupt, "not an engine level record");
    }
    level.level = static_cast<std::uint32_t>(number);
    return level;
}

}  // namespace helios::model
