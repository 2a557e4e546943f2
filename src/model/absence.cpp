#include "model/absence.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {
namespace {

constexpr std::array<std::string_view, 7> cause_names{"start", "sleep", "gap",   "refused",
                                                      "lost",  "fetch", "silent"};

}  // namespace

std::string_view to_string(AbsenceCause cause) {
    return cause_names.at(static_cast<std::size_t>(cause));
}

Result<AbsenceCause> parse_absence_cause(std::string_view text) {
    const auto it = std::find(cause_names.begin(), cause_names.end(), text);
    if (it == cause_names.end()) {
        return fail(ErrorKind::invalid, "unknown cause of an absence \"" + std::string(text) + "\"",
                    "start, sleep, gap, refused, lost, fetch or silent");
    }
    return static_cast<AbsenceCause>(it - cause_names.begin());
}

std::string encode(const AbsenceRecord& record) {
    ByteWriter out;
    write_absence(out, record);
    return out.take();
}

Result<AbsenceRecord> decode_absence(std::string_view bytes) {
    ByteReader in(bytes);
    AbsenceRecord record = read_absence(in);
    if (!in.at_end() || record.from >= record.to) {
        return fail(ErrorKind::corrupt,
                    "not an absence record: truncated, with trailing bytes, or no stretch of time");
    }
    return record;
}

void write_absence(ByteWriter& out, const AbsenceRecord& record) {
    out.zigzag(to_nanos(record.to));
    out.zigzag(to_nanos(record.from));
    out.zigzag(record.grace.count());
    out.zigzag(record.max.count());
    write_strings(out, record.sources);
    out.u8(static_cast<std::uint8_t>(record.cause));
}

AbsenceRecord read_absence(ByteReader& in) {
    AbsenceRecord record;
    record.to = from_nanos(in.zigzag());
    record.from = from_nanos(in.zigzag());
    record.grace = Duration{in.zigzag()};
    record.max = Duration{in.zigzag()};
    record.sources = read_strings(in);
    const auto cause = in.u8();
    if (cause >= cause_names.size() || record.grace < Duration::zero() ||
        record.max < Duration::zero()) {
        record.to = record.from;  // no stretch: the caller refuses it
        return record;
    }
    record.cause = static_cast<AbsenceCause>(cause);
    return record;
}

}  // namespace helios::model
