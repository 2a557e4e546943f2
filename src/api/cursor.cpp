#include "api/cursor.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/utf8.h"

namespace helios::api {
namespace {

enum class List : std::uint8_t {
    events = 7,
    quarantine = 8,
    mismatches = 9,
    cases_by_opening = 10,
    cases_by_decision = 11,
};  // first byte: tells lists and versions apart; 1 to 6 had no mark

constexpr std::size_t cursor_chars_max = 8192;  // flow and key of 1 KiB each fit well

ByteWriter start(List list, CursorMark mark) {
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(list));
    out.varint(mark);
    return out;
}

std::unexpected<Error> refuse() {
    return fail(ErrorKind::invalid, "cursor: not one that this list gave out",
                "pass nextCursor of the page before, unchanged; leave it out for the first page");
}

/// The bytes behind the text, without list and mark; empty: not of this list, or of others'.
std::string unseal(std::string_view text, List list, CursorMark mark) {
    const std::string begun = start(list, mark).take();
    std::string bytes;
    if (text.size() > cursor_chars_max || !base64_decode(text, bytes) ||
        !bytes.starts_with(begun)) {
        return {};
    }
    return bytes.substr(begun.size());
}

List list_of(CaseList list) {
    switch (list) {
        case CaseList::mismatches:
            return List::mismatches;
        case CaseList::by_opening:
            return List::cases_by_opening;
        case CaseList::by_decision:
            break;
    }
    return List::cases_by_decision;
}

}  // namespace

CursorMark cursor_mark(const Kept& kept, const TenantId& tenant) {
    return crc32c(tenant.text(), log::hash_of(kept.log.id()));
}

std::string encode_cursor(CursorMark mark, CaseList list, const store::CaseCursor& cursor) {
    ByteWriter out = start(list_of(list), mark);
    out.zigzag(to_nanos(cursor.at));
    out.string(cursor.flow);
    out.string(cursor.key);
    out.varint(cursor.instance);
    return base64url_encode(out.view());
}

std::string encode_cursor(CursorMark mark, const store::EventCursor& cursor) {
    ByteWriter out = start(List::events, mark);
    out.zigzag(to_nanos(cursor.log_time));
    out.u8(static_cast<std::uint8_t>(cursor.pointer.partition.topic));
    out.varint(cursor.pointer.partition.index);
    out.varint(cursor.pointer.offset.value);
    return base64url_encode(out.view());
}

std::string encode_cursor(CursorMark mark, const store::QuarantineCursor& cursor) {
    ByteWriter out = start(List::quarantine, mark);
    out.zigzag(to_nanos(cursor.last_at));
    out.string(cursor.dlq_id);
    return base64url_encode(out.view());
}

Result<store::CaseCursor> decode_case_cursor(CursorMark mark, CaseList list,
                                             std::string_view text) {
    const auto bytes = unseal(text, list_of(list), mark);
    ByteReader in(bytes);
    store::CaseCursor cursor;
    cursor.by =
        list == CaseList::by_opening ? store::CaseTime::opened : store::CaseTime::reconciled;
    cursor.at = from_nanos(in.zigzag());
    cursor.flow = in.string();
    cursor.key = in.string();
    cursor.instance = static_cast<std::uint32_t>(in.varint());
    if (!in.at_end() || !utf8::is_valid(cursor.flow) || !utf8::is_valid(cursor.key)) {
        return refuse();
    }
    return cursor;
}

Result<store::EventCursor> decode_event_cursor(CursorMark mark, std::string_view text) {
    const auto bytes = unseal(text, List::events, mark);
    ByteReader in(bytes);
    store::EventCursor cursor;
    cursor.log_time = from_nanos(in.zigzag());
    cursor.pointer.partition.topic = static_cast<TopicId>(in.u8());
    cursor.pointer.partition.index = static_cast<std::uint32_t>(in.varint());
    cursor.pointer.offset.value = in.varint();
    if (!in.at_end()) {
        return refuse();
    }
    return cursor;
}

Result<store::QuarantineCursor> decode_quarantine_cursor(CursorMark mark, std::string_view text) {
    const auto bytes = unseal(text, List::quarantine, mark);
    ByteReader in(bytes);
    store::QuarantineCursor cursor;
    cursor.last_at = from_nanos(in.zigzag());
    cursor.dlq_id = in.string();
    if (!in.at_end()) {
        return refuse();
    }
    return cursor;
}

}  // namespace helios::api
