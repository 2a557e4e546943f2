#include "reconcile/offline_tape.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace helios::reconcile {
namespace {

using SizeBefore = std::uint32_t;  // stands before each event

constexpr std::size_t window_bytes = 1u << 20;

/// A stretch of the tape that moves forward.
class Window {
public:
    explicit Window(const ScratchBytes& tape) : tape_(tape) {}

    Result<const char*> at(std::uint64_t offset, std::size_t bytes) {
        if (offset + bytes > tape_.size()) {
            return broken_scratch();
        }
        if (offset < begin_ || offset + bytes > begin_ + window_.size()) {
            begin_ = offset;
            window_.resize(static_cast<std::size_t>(
                std::min<std::uint64_t>(std::max(bytes, window_bytes), tape_.size() - offset)));
            HELIOS_TRY(tape_.read(begin_, window_.data(), window_.size()));
        }
        return window_.data() + (offset - begin_);
    }

private:
    const ScratchBytes& tape_;
    std::uint64_t begin_ = 0;
    std::string window_;
};

}  // namespace

void TapedEvent::append_bare_to(std::string& out) const {
    ByteWriter head;
    head.zigzag(to_nanos(at));
    head.u8(static_cast<std::uint8_t>((has_legs ? 1 : 0) | (elsewhere ? 2 : 0)));
    head.string(position);
    head.string(origin);
    out += head.view();
    out += encoded;
}

void TapedEvent::append_to(std::string& out) const {
    const std::size_t begin = out.size();
    out.append(sizeof(SizeBefore), '\0');
    append_bare_to(out);
    const auto size = static_cast<SizeBefore>(out.size() - begin - sizeof(SizeBefore));
    std::memcpy(out.data() + begin, &size, sizeof size);
}

std::optional<TapedEvent> TapedEvent::of(std::string_view bare) {
    ByteReader in(bare);
    TapedEvent event;
    event.at = from_nanos(in.zigzag());
    const auto flags = in.u8();
    event.has_legs = (flags & 1u) != 0;
    event.elsewhere = (flags & 2u) != 0;
    event.position = in.string();
    event.origin = in.string();
    event.encoded = in.rest();
    return in.ok() ? std::optional(event) : std::nullopt;
}

/// With one reading for most.
Result<std::string> Tape::read(std::uint64_t offset) const {
    constexpr std::size_t usual_bytes = 64;  // of what can be read again
    SizeBefore size = 0;
    if (offset + sizeof size > bytes_.size()) {
        return broken_scratch();
    }
    std::string bytes(std::min<std::uint64_t>(usual_bytes, bytes_.size() - offset), '\0');
    HELIOS_TRY(bytes_.read(offset, bytes.data(), bytes.size()));
    std::memcpy(&size, bytes.data(), sizeof size);
    const std::uint64_t whole = sizeof size + std::uint64_t{size};
    if (offset + whole > bytes_.size()) {
        return broken_scratch();
    }
    const std::size_t held = bytes.size();
    bytes.resize(static_cast<std::size_t>(whole));
    if (held < whole) {
        HELIOS_TRY(bytes_.read(offset + held, bytes.data() + held, bytes.size() - held));
    }
    bytes.erase(0, sizeof size);
    return bytes;
}

Status Tape::visit(
    const std::function<Status(std::uint64_t number, const TapedEvent&)>& visit) const {
    Window window(bytes_);
    std::uint64_t number = 0;
    for (std::uint64_t at = 0; at < bytes_.size(); ++number) {
        SizeBefore size = 0;
        HELIOS_TRY_ASSIGN(const char* head, window.at(at, sizeof size));
        std::memcpy(&size, head, sizeof size);
        HELIOS_TRY_ASSIGN(const char* bytes, window.at(at + sizeof size, size));
        const auto event = TapedEvent::of({bytes, size});
        HELIOS_TRY(event ? visit(number, *event) : broken_scratch());
        at += sizeof size + size;
    }
    return {};
}

Result<std::string_view> Tape::encoded_of(const TapedEvent& event, std::string& room) const {
    if (!event.elsewhere) {
        return event.encoded;
    }
    HELIOS_TRY_ASSIGN(room, again_(event.origin));
    return room;
}

}  // namespace helios::reconcile
