// A connection's bytes. The first byte says how large the portions are in which the rest arrives;
// the requests read must not depend on it, and nothing may be left in the budget.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "http/request_reader.h"
#include "http/websocket_handshake.h"

namespace {

using helios::http::RequestReader;

std::string read_all(std::string_view stream, std::size_t portion) {
    helios::http::ServerOptions options;
    options.header_bytes_max = 1024;
    options.body_bytes_max = 4096;
    helios::http::ByteBudget budget(1 << 20);
    std::string story;
    {
        RequestReader reader(options, budget);
        helios::http::Input input;
        for (;;) {
            const auto outcome = reader.advance(input);
            if (outcome == RequestReader::Outcome::header) {
                reader.set_body_limit(options.body_bytes_max);
                story += reader.head().target;
                story += helios::http::refuse_handshake(reader.head(), reader.request())
                             ? ""
                             : " (WebSocket)";
            } else if (outcome == RequestReader::Outcome::complete) {
                story += "{" + reader.request().body + "}";
                HELIOS_ASSERT(reader.request().body.size() <= options.body_bytes_max,
                              "a body has its bound");
                reader.drop();
            } else if (outcome == RequestReader::Outcome::refused || stream.empty()) {
                break;
            } else {
                const auto length = std::min(stream.size(), portion);
                const auto room = input.prepare(length, 16);
                std::copy_n(stream.data(), length, room.data());
                input.commit(length);
                stream.remove_prefix(length);
            }
        }
    }
    HELIOS_ASSERT(budget.used() == 0, "the budget is given back");
    return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = read_all(stream, std::max<std::size_t>(stream.size(), 1));
    const auto parts = read_all(stream, 1 + data[0] % 64);
    // A refusal may come earlier in the one than in the other, never another request.
    HELIOS_ASSERT(whole.starts_with(parts) || parts.starts_with(whole), "portions do not matter");
    return 0;
}
