#include "log/directory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <set>

#include "base/hash.h"

namespace helios::log {
namespace {

constexpr std::string_view format_title = "helios data directory";
constexpr std::string_view topics_title = "helios topics 1";
constexpr std::string_view kept_title = "helios kept 1";
constexpr std::uint32_t partitions_limit = 4096;
constexpr std::size_t topics_limit = 4096;

/// What may stand in a directory that has no FORMAT yet: LOCK and FORMAT.new if a first start ended
/// half-way, what a file system puts into its root, and API keys, which may be made before the
/// first start (with what they are written through). Anything else of ours comes after FORMAT.
constexpr std::array<std::string_view, 5> names_before_format{"FORMAT.new", "LOCK", "keys.json",
                                                              "keys.json.new", "lost+found"};

std::optional<std::string_view> next_line(std::string_view& text) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

template <class Number = std::uint32_t>
std::optional<Number> number(std::string_view text) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// 32 lower-case hex digits.
std::optional<LogId> id_of(std::string_view text) {
    LogId id;
    return from_hex(text, id.bits) ? std::optional(id) : std::nullopt;
}

LogId new_id(Disk& disk) {
    LogId id;
    for (std::size_t i = 0; i < id.bits.size(); i += 8) {
        const std::uint64_t bits = disk.random();
        for (std::size_t k = 0; k < 8; ++k) {
            id.bits[i + k] = static_cast<std::uint8_t>(bits >> 8 * k);
        }
    }
    return id;
}

std::unexpected<Error> foreign(const std::string& path) {
    return fail(
        ErrorKind::corrupt,
        fmt::format("{} is not a Helios FORMAT file: this directory is foreign or damaged", path),
        "choose another directory with --data, or restore this one");
}

std::unexpected<Error> broken_topics(const std::string& path, std::string_view why) {
    return fail(ErrorKind::corrupt, fmt::format("{} cannot be read: {}", path, why),
                "restore the file from a copy of the data directory");
}

/// The last line of a text: the checksum of all before it.
constexpr std::size_t checksum_line_bytes = 16;  // "crc32c 00000000\n"

std::string with_checksum(std::string text) {
    return text + fmt::format("crc32c {:08x}\n", crc32c(text));
}

bool checksum_holds(std::string_view text) {
    if (text.size() < checksum_line_bytes) {
        return false;
    }
    const std::string_view body = text.substr(0, text.size() - checksum_line_bytes);
    // Compared as text: another spelling of the same number is a change, too.
    return text.substr(body.size()) == fmt::format("crc32c {:08x}\n", crc32c(body));
}

/// Format 1 had no checksum: what it wrote is told by every byte.
bool is_first_format(std::string_view text) {
    const std::string begin = fmt::format("{}\nreader 1\nwriter 1\npartitions ", format_title);
    return text.starts_with(begin) && text.ends_with('\n') &&
           number(text.substr(begin.size(), text.size() - begin.size() - 1));
}

std::unexpected<Error> broken_format(const std::string& path) {
    return fail(ErrorKind::corrupt, fmt::format("{} is damaged: its checksum is wrong", path),
                "restore the file from a copy of the data directory");
}

std::optional<RetentionClass> class_of(std::string_view text) {
    for (std::size_t i = 0; i < retention_classes; ++i) {
        const auto retention = static_cast<RetentionClass>(i);
        if (to_string(retention) == text) {
            return retention;
        }
    }
    return std::nullopt;
}

bool good_topic_name(std::string_view name) {
    return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

}  // namespace

std::string_view to_string(RetentionClass retention) {
    switch (retention) {
        case RetentionClass::data:
            return "data";
        case RetentionClass::control:
            return "control";
        case RetentionClass::health:
            return "health";
    }
    return "";
}

std::uint32_t hash_of(const LogId& id) {
    return crc32c({reinterpret_cast<const char*>(id.bits.data()), id.bits.size()});
}

std::string encode_format(const DirectoryFormat& format) {
    return with_checksum(fmt::format("{}\nreader {}\nwriter {}\npartitions {}\nid {}\n",
                                     format_title, format.reader, format.writer, format.partitions,
                                     to_hex(format.id.bits)));
}

Result<DirectoryFormat> parse_format(std::string_view text, const std::string& path,
                                     bool for_writing) {
    const bool intact = checksum_holds(text);
    if (!intact && !is_first_format(text)) {
        return text.starts_with(format_title) ? broken_format(path) : foreign(path);
    }
    std::string_view rest = text;
    if (next_line(rest) != format_title) {
        return foreign(path);
    }
    std::optional<std::uint32_t> reader, writer, partitions;
    std::optional<LogId> id;
    while (const auto line = next_line(rest)) {  // unknown lines are a newer writer's business
        if (line->starts_with("reader ")) {
            reader = number(line->substr(7));
        }
        if (line->starts_with("writer ")) {
            writer = number(line->substr(7));
        }
        if (line->starts_with("partitions ")) {
            partitions = number(line->substr(11));
        }
        if (line->starts_with("id ")) {
            id = id_of(line->substr(3));
        }
    }
    if (!reader || !writer || *reader == 0 || *writer == 0) {
        return foreign(path);
    }
    const std::uint32_t needed = for_writing ? std::max(*reader, *writer) : *reader;
    if (needed > directory_format) {
        return fail(ErrorKind::corrupt,
                    fmt::format("{} was written by a newer Helios: it needs one that {} format {}, "
                                "this one knows format {}",
                                path, for_writing ? "writes" : "reads", needed, directory_format),
                    "start the newer version, or choose another directory with --data");
    }
    if (*reader < directory_format) {
        return fail(ErrorKind::corrupt,
                    fmt::format("{} was written by an older Helios: it has format {}, this one "
                                "knows format {} and no older one",
                                path, *reader, directory_format),
                    "choose a new directory with --data; with the older version, `helios log "
                    "export --data DIR > day.ndjson` "
                    "saves the events, and `helios ingest day.ndjson` takes them in anew");
    }
    if (!partitions || *partitions == 0 || *partitions > partitions_limit || !id) {
        return foreign(path);
    }
    return DirectoryFormat{*reader, *writer, *partitions, *id};
}

// One line per topic: id, class, partitions, name; the last line is the checksum of all before it.
std::string encode_topics(const std::vector<Topic>& topics) {
    std::string out = fmt::format("{}\n", topics_title);
    for (const Topic& topic : topics) {
        out += fmt::format("{} {} {} {}\n", topic.id, to_string(topic.retention), topic.partitions,
                           topic.name);
    }
    return with_checksum(std::move(out));
}

Result<std::vector<Topic>> parse_topics(std::string_view text, const std::string& path) {
    if (!checksum_holds(text)) {
        return broken_topics(path, "its checksum is wrong");
    }
    const std::string_view body = text.substr(0, text.size() - checksum_line_bytes);
    std::string_view rest = body;
    if (next_line(rest) != topics_title) {
        return broken_topics(path, "it is not a topics file of this format");
    }
    std::vector<Topic> topics;
    while (const auto line = next_line(rest)) {
        const auto a = line->find(' ');
        const auto b = line->find(' ', a + 1);
        const auto c = line->find(' ', b + 1);
        if (a == std::string_view::npos || b == std::string_view::npos ||
            c == std::string_view::npos) {
            return broken_topics(path, "a line is short");
        }
        const auto id = number(line->substr(0, a));
        const auto cls = class_of(line->substr(a + 1, b - a - 1));
        const auto partitions = number(line->substr(b + 1, c - b - 1));
        const auto name = line->substr(c + 1);
        if (!id || *id != topics.size() + 1 || *id > topics_limit || !cls || !partitions ||
            *partitions == 0 || *partitions > partitions_limit || !good_topic_name(name)) {
            return broken_topics(path, fmt::format("line \"{}\"", *line));
        }
        topics.push_back(
            {static_cast<std::uint16_t>(*id), std::string(name), *cls, *partitions, {}});
    }
    return topics;
}

void number_topics(std::vector<Topic>& topics, const std::vector<TopicSpec>& specs) {
    for (Topic& topic : topics) {
        const auto spec = std::ranges::find(specs, topic.name, &TopicSpec::name);
        topic.number = spec == specs.end() ? no_topic : spec->id;
    }
}

// A line per journal: where it begins, the log time of the last record dropped; then what holds
// retention back. The last line is the checksum of all before it.
std::string encode_kept(const KeptJournals& kept) {
    std::string out = fmt::format("{}\n", kept_title);
    for (std::size_t i = 0; i < kept.size(); ++i) {
        out += fmt::format("{} {} {}\n", to_string(static_cast<RetentionClass>(i)),
                           kept[i].begin.value, to_nanos(kept[i].dropped_until));
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
        for (const Kept::Held& held : kept[i].held) {
            out += fmt::format("held {} {} {}\n", to_string(static_cast<RetentionClass>(i)),
                               held.by_more.count(), held.by);
        }
    }
    return with_checksum(std::move(out));
}

Result<KeptJournals> parse_kept(std::string_view text, const std::string& path) {
    const auto broken = [&](std::string_view why) {
        return fail(ErrorKind::corrupt, fmt::format("{} cannot be read: {}", path, why),
                    "restore the file from a copy of the data directory");
    };
    if (!checksum_holds(text)) {
        return broken("its checksum is wrong");
    }
    std::string_view rest = text.substr(0, text.size() - checksum_line_bytes);
    if (next_line(rest) != kept_title) {
        return broken("it is not such a file of this format");
    }
    KeptJournals kept;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        kept[i].retention = static_cast<RetentionClass>(i);
    }
    while (const auto line = next_line(rest)) {
        const bool held = line->starts_with("held ");
        const std::string_view body = held ? line->substr(5) : *line;
        const auto a = body.find(' ');
        const auto b = body.find(' ', a + 1);
        if (a == std::string_view::npos || b == std::string_view::npos) {
            return broken("a line is short");
        }
        const auto retention = class_of(body.substr(0, a));
        const auto first = number<std::uint64_t>(body.substr(a + 1, b - a - 1));
        const auto second = number<std::int64_t>(body.substr(b + 1));
        if (!retention || !first || (!held && !second)) {
            return broken(fmt::format("line \"{}\"", *line));
        }
        Kept& journal = kept[static_cast<std::size_t>(*retention)];
        if (held) {
            journal.held.push_back(
                {std::string(body.substr(b + 1)), Duration{static_cast<std::int64_t>(*first)}});
        } else {
            journal.begin = Offset{*first};
            journal.dropped_until = from_nanos(*second);
        }
    }
    return kept;
}

Result<KeptJournals> read_kept(Disk& disk, const std::string& path) {
    auto text = read_file(disk, path, 1u << 20);
    if (!text && text.error().kind == ErrorKind::not_found) {
        text = encode_kept({});
    }
    HELIOS_TRY(text);
    return parse_kept(*text, path);
}

Result<DirectoryLocks> DirectoryLocks::take(Disk& disk, const DirectoryPaths& paths,
                                            const std::vector<std::string>& folders) {
    DirectoryLocks locks;
    HELIOS_TRY_ASSIGN(auto root, disk.lock(paths.root, paths.lock));
    locks.held_.push_back(std::move(root));
    std::vector<std::string> all{paths.log};
    all.insert(all.end(), paths.journals.begin(), paths.journals.end());
    for (const std::string& folder : folders) {
        all.push_back(paths.root + "/" + folder);
    }
    for (const std::string& path : all) {
        HELIOS_TRY_ASSIGN(const bool there, disk.exists(path));
        if (!there) {
            continue;
        }
        HELIOS_TRY_ASSIGN(auto lock, disk.lock(path, {}));  // a link's holder has signed elsewhere
        locks.held_.push_back(std::move(lock));
    }
    return locks;
}

Status check_directory(Disk& disk, const DirectoryPaths& paths, std::uint32_t partitions) {
    const auto names = disk.list(paths.root);
    if (!names) {
        return names.error().kind == ErrorKind::not_found ? Status{} : fail(names.error());
    }
    const auto other = std::find_if(names->begin(), names->end(), [](const std::string& name) {
        return std::find(names_before_format.begin(), names_before_format.end(), name) ==
               names_before_format.end();
    });
    HELIOS_TRY_ASSIGN(const bool has_format,
                      disk.exists(paths.format));  // last: a server may be making it right now
    if (!has_format && other != names->end()) {
        return fail(ErrorKind::corrupt,
                    fmt::format("{} has no FORMAT file but is not empty (\"{}\" is there): it is "
                                "foreign, or a Helios data directory "
                                "that has lost it",
                                paths.root, *other),
                    "choose an empty or new directory with --data, or a Helios data directory; or "
                    "restore FORMAT from a copy");
    }
    if (!has_format) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const std::string text, read_file(disk, paths.format, 64u << 10));
    HELIOS_TRY_ASSIGN(const DirectoryFormat format, parse_format(text, paths.format, true));
    if (format.partitions == partitions) {
        return {};
    }
    return fail(
        ErrorKind::conflict,
        fmt::format("the data directory {} was made with {} partitions, this server is set to {}",
                    paths.root, format.partitions, partitions),
        fmt::format("the count is fixed for a data directory: set log.partitions to {}, or start "
                    "with a new directory",
                    format.partitions));
}

Status claim_directory(Disk& disk, const DirectoryPaths& paths, std::uint32_t partitions) {
    HELIOS_TRY_ASSIGN(const bool has_format, disk.exists(paths.format));
    if (has_format) {  // seen is not durable: the last life may have ended while it was made so
        HELIOS_TRY(disk.sync_directory(paths.root));
    } else {
        HELIOS_TRY(replace_file(
            disk, paths.root, "FORMAT",
            encode_format({directory_format, directory_format, partitions, new_id(disk)})));
    }
    for (const std::string& path : paths.journals) {
        HELIOS_TRY(disk.make_directories(path));
    }
    for (const std::string& path : {paths.log, paths.root}) {
        HELIOS_TRY(disk.sync_directory(path));
    }
    return {};
}

Result<std::vector<Topic>> claim_topics(Disk& disk, const DirectoryPaths& paths,
                                        std::uint32_t partitions,
                                        const std::vector<TopicSpec>& specs) {
    std::vector<Topic> topics;
    HELIOS_TRY_ASSIGN(const bool known, disk.exists(paths.topics));
    if (known) {
        HELIOS_TRY_ASSIGN(const std::string text, read_file(disk, paths.topics, 8u << 20));
        HELIOS_TRY_ASSIGN(topics, parse_topics(text, paths.topics));
    }
    const std::size_t before = topics.size();
    std::set<std::string_view> asked;
    std::set<TopicId> numbers{no_topic};
    for (const TopicSpec& spec : specs) {
        const std::uint32_t count = spec.partitions == 0 ? partitions : spec.partitions;
        if (!good_topic_name(spec.name)) {
            return fail(ErrorKind::invalid,
                        fmt::format("\"{}\" cannot be a topic's name", spec.name),
                        "use letters, digits, '.', '_' and '-'");
        }
        if (!asked.insert(spec.name).second) {
            return fail(ErrorKind::invalid, fmt::format("topic {} is declared twice", spec.name));
        }
        if (!numbers.insert(spec.id).second) {
            return fail(ErrorKind::invalid,
                        fmt::format("topic {} has number {}, which is none or another topic's",
                                    spec.name, static_cast<unsigned>(spec.id)));
        }
        if (count > partitions_limit) {
            return fail(ErrorKind::invalid, fmt::format("topic {} has {} partitions, more than {}",
                                                        spec.name, count, partitions_limit));
        }
        const auto found = std::find_if(topics.begin(), topics.end(),
                                        [&](const Topic& t) { return t.name == spec.name; });
        if (found == topics.end()) {
            if (topics.size() >= topics_limit) {
                return fail(ErrorKind::invalid, fmt::format("more than {} topics", topics_limit));
            }
            topics.push_back({static_cast<std::uint16_t>(topics.size() + 1), spec.name,
                              spec.retention, count, spec.id});
        } else if (found->retention != spec.retention || found->partitions != count) {
            return fail(
                ErrorKind::conflict,
                fmt::format(
                    "topic {} is in {} with {} partitions and another class or count is asked for",
                    spec.name, paths.root, found->partitions),
                "a topic's class and partition count are fixed for a data directory");
        }
    }
    if (topics.size() != before || !known) {
        HELIOS_TRY(replace_file(disk, paths.log, "topics", encode_topics(topics)));
    }
    number_topics(topics, specs);
    return topics;
}

}  // namespace helios::log
