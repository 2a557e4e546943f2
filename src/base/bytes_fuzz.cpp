/// A record cut or damaged anywhere: reads stop at the end, nothing is read twice, base64 reads
/// back.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    // The input is its own programme: each byte read says what is read next.
    ByteReader reader(bytes);
    ByteWriter copy;
    while (reader.ok() && !reader.at_end()) {
        const std::size_t before = reader.rest().size();
        switch (reader.u8() % 7) {
            case 0:
                copy.u16(reader.u16());
                break;
            case 1:
                copy.u32(reader.u32());
                break;
            case 2:
                copy.u64(reader.u64());
                break;
            case 3:
                copy.varint(reader.varint());
                break;
            case 4:
                copy.zigzag(reader.zigzag());
                break;
            case 5:
                copy.string(reader.string());
                break;
            default:
                copy.boolean(reader.boolean());
                break;
        }
        HELIOS_ASSERT(!reader.ok() || reader.rest().size() < before,
                      "a read that does not move on");
        HELIOS_ASSERT(copy.size() <= size + 9, "more was read than was there");
    }
    HELIOS_ASSERT(reader.ok() || (reader.u8() == 0 && reader.string().empty()),
                  "a reader that recovers");

    std::string plain;
    if (base64_decode(bytes, plain)) {
        std::string again;
        HELIOS_ASSERT(base64_decode(base64_encode(plain), again) && again == plain,
                      "base64 does not read back");
    } else {
        HELIOS_ASSERT(plain.empty(), "a refused text leaves bytes behind");
    }
    return 0;
}
