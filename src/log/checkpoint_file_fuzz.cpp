/// CHECKPOINT from hostile bytes, as they are and with a checksum that holds. What is read is
/// written and read again the same; every name stays in the checkpoint's directory.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "log/checkpoint_file.h"

namespace {

using namespace helios;
using namespace helios::log;

void read(const std::string& bytes) {
    const auto content = decode_checkpoint(bytes, "CHECKPOINT");
    if (!content) {
        HELIOS_ASSERT(content.error().kind == ErrorKind::corrupt, "bytes can only be damaged");
        return;
    }
    for (const CheckpointFile& file : content->files) {
        HELIOS_ASSERT(
            !file.name.empty() && file.name.find('/') == std::string::npos && file.name[0] != '.',
            "a name of this directory");
    }
    const std::string again = encode_checkpoint(*content);
    const auto same = decode_checkpoint(again, "CHECKPOINT");
    HELIOS_ASSERT(same.has_value() && encode_checkpoint(*same) == again, "what is read is written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    read(std::string(input));
    ByteWriter summed;
    summed.raw("HELIOSCP");
    summed.u32(checkpoint_version);
    summed.raw(input);
    summed.u32(crc32c(summed.view()));
    read(summed.take());
    return 0;
}
