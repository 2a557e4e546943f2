#include "log/format.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "log/directory.h"

namespace helios::log {
namespace {

using namespace format;

SegmentHeader sample_header() {
    SegmentHeader header;
    header.salt = 0x1122334455667788;
    header.base = 4096;
    header.journal = 1;
    header.snapshot.last_time = from_nanos(77);
    header.snapshot.partitions[{3, 11}] = {5, 100, 900, from_nanos(1), from_nanos(-2), 840};
    header.snapshot.groups["route"][{3, 11}] = {{800, 3}, from_nanos(76)};
    header.snapshot.groups["engine"];
    return header;
}

TEST(Format, a_segment_header_reads_back) {
    const std::string bytes = encode_segment_header(sample_header());
    const auto read = decode_segment_header(bytes + "frames follow");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->bytes, bytes.size());
    EXPECT_EQ(read->salt, 0x1122334455667788u);
    EXPECT_EQ(read->base, 4096u);
    EXPECT_EQ(read->journal, 1);
    EXPECT_EQ(read->snapshot.last_time, from_nanos(77));
    const PartitionState& partition = read->snapshot.partitions.at({3, 11});
    EXPECT_EQ(partition.records, 5u);
    EXPECT_EQ(partition.first, 100u);
    EXPECT_EQ(partition.end, 900u);
    EXPECT_EQ(partition.last_time, from_nanos(-2));
    EXPECT_EQ(partition.last, 840u);
    EXPECT_EQ(read->snapshot.groups.at("route").at({3, 11}).to.offset, 800u);
    EXPECT_TRUE(read->snapshot.groups.contains("engine"));
}

TEST(Format, any_changed_byte_of_a_header_is_noticed) {
    const std::string segment = encode_segment_header(sample_header());
    for (std::size_t i = 0; i < segment.size(); ++i) {
        std::string changed = segment;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(decode_segment_header(changed)) << i;
        EXPECT_FALSE(decode_segment_header(std::string_view(segment).substr(0, i))) << i;
    }
    std::string group(group_header_bytes, '\0');
    encode_group_header({9, 4096, 100, 2, 4000, from_nanos(5), from_nanos(6), 6}, group.data());
    ASSERT_TRUE(decode_group_header(group));
    EXPECT_EQ(decode_group_header(group)->mark, 4000u);
    EXPECT_TRUE(group.starts_with(group_prefix(9)));
    Mark mark{3,    {{{100, 50}, {200, 150}, {300, 250, 200}}}, from_nanos(8), from_nanos(7), {},
              false};
    const std::string marked = encode_mark(mark);
    EXPECT_EQ(marked.size(), mark_bytes);
    ASSERT_TRUE(decode_mark(marked));
    EXPECT_EQ(decode_mark(marked)->journals[1].end, 200u);
    EXPECT_EQ(decode_mark(marked)->journals[2].begin, 200u);
    EXPECT_EQ(decode_mark(marked)->watermark, from_nanos(8));
    for (const std::string& whole : {group, marked}) {
        for (std::size_t i = 0; i < whole.size(); ++i) {
            std::string changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ 0x80);
            EXPECT_FALSE(decode_group_header(changed) || decode_mark(changed)) << i;
        }
    }
}

TEST(Format, a_frame_names_itself) {
    rc::check("a frame reads back, only at its position and under its salt",
              [](const std::string& key, const std::string& value, std::uint64_t position,
                 std::uint64_t salt, std::uint16_t topic, std::uint32_t partition) {
                  Frame frame;
                  frame.position = position;
                  frame.log_time = from_nanos(123);
                  frame.topic = topic;
                  frame.partition = partition;
                  frame.type = 9;
                  frame.version = 3;
                  frame.payload_key_id = 8;
                  std::string bytes;
                  append_frame(bytes, frame, key, value, salt);
                  RC_ASSERT(bytes.size() == frame_header_bytes + key.size() + value.size());
                  const auto read = decode_frame_header(bytes, position);
                  RC_ASSERT(read.has_value());
                  RC_ASSERT(read->topic == topic && read->partition == partition &&
                            read->type == 9 && read->version == 3 && read->payload_key_id == 8);
                  RC_ASSERT(frame_key(bytes, *read) == key);
                  RC_ASSERT(frame_value(bytes, *read) == value);
                  RC_ASSERT(frame_intact(bytes, salt));
                  RC_ASSERT(!frame_intact(bytes, salt + 1));
                  RC_ASSERT(!decode_frame_header(bytes, position + 1).has_value());
                  const std::size_t at = *rc::gen::inRange<std::size_t>(0, bytes.size());
                  bytes[at] = static_cast<char>(bytes[at] ^ (1 << *rc::gen::inRange(0, 8)));
                  RC_ASSERT(!frame_intact(bytes, salt));
              });
}

TEST(Format, offsets_read_back_and_trailing_bytes_are_refused) {
    const std::map<PartitionKey, GroupOffset> offsets{{{1, 0}, {5, 0}},
                                                      {{2, 70000}, {1ull << 50, 4096}}};
    const std::string bytes = encode_offsets(offsets);
    EXPECT_EQ(decode_offsets(bytes), offsets);
    EXPECT_FALSE(decode_offsets(bytes + "x"));
    EXPECT_FALSE(decode_offsets(std::string_view(bytes).substr(0, bytes.size() - 1)));
}

TEST(Directory, topics_read_back_and_damage_is_noticed) {
    const std::vector<Topic> topics{{1, "helios.events.orders", RetentionClass::data, 12},
                                    {2, "helios.flows", RetentionClass::control, 1}};
    const std::string text = encode_topics(topics);
    const auto read = parse_topics(text, "topics");
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 2u);
    EXPECT_EQ((*read)[1].name, "helios.flows");
    EXPECT_EQ((*read)[1].retention, RetentionClass::control);
    EXPECT_EQ((*read)[0].partitions, 12u);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 2);
        EXPECT_EQ(parse_topics(changed, "topics").error().kind, ErrorKind::corrupt) << i;
        EXPECT_FALSE(parse_topics(text.substr(0, i), "topics")) << i;
    }
}

TEST(Directory, format_says_who_may_read_and_who_may_write) {
    constexpr std::uint32_t ours = directory_format;
    EXPECT_TRUE(parse_format(encode_format({ours, ours, 12}), "FORMAT", true));
    EXPECT_EQ(parse_format(encode_format({ours, ours, 12}), "FORMAT", true)->partitions, 12u);
    EXPECT_TRUE(parse_format(encode_format({ours, ours + 1, 12}), "FORMAT", false));
    EXPECT_FALSE(parse_format(encode_format({ours, ours + 1, 12}), "FORMAT", true));
    EXPECT_FALSE(parse_format(encode_format({ours + 1, ours, 12}), "FORMAT", false));
    for (const char* text :
         {"", "\n", "helios data directory\n", "helios data directory\nreader 1\nwriter 1\n",
          "helios data directory\nreader x\nwriter 1\npartitions 3\n",
          "helios data directory\nreader 1\nwriter 1\npartitions 0\n"}) {
        EXPECT_EQ(parse_format(text, "FORMAT", true).error().kind, ErrorKind::corrupt) << text;
    }
}

TEST(Directory, an_older_format_is_refused_with_a_way_out) {
    const auto old = parse_format("helios data directory\nreader 1\nwriter 1\npartitions 12\n",
                                  "d/FORMAT", false);
    ASSERT_FALSE(old);
    EXPECT_EQ(old.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(old.error().what,
              "d/FORMAT was written by an older Helios: it has format 1, this one knows format 4 "
              "and no older one");
    EXPECT_NE(old.error().hint.find("log export"), std::string::npos);
    EXPECT_FALSE(parse_format(encode_format({1, 1, 12}), "FORMAT", true));
}

TEST(Directory, any_changed_bit_of_format_and_topics_is_noticed) {
    const std::string format = encode_format({directory_format, directory_format, 12});
    const std::string topics =
        encode_topics({{1, "helios.events.orders", RetentionClass::data, 12}});
    const auto changed = [](const std::string& text, std::size_t bit) {
        std::string out = text;
        out[bit / 8] = static_cast<char>(out[bit / 8] ^ (1 << bit % 8));
        return out;
    };
    for (std::size_t bit = 0; bit < format.size() * 8; ++bit) {
        const auto read = parse_format(changed(format, bit), "FORMAT", false);
        ASSERT_FALSE(read) << bit;
        EXPECT_TRUE(read.error().what.contains("FORMAT is damaged") ||
                    read.error().what.contains("foreign or damaged"))
            << bit;
    }
    for (std::size_t bit = 0; bit < topics.size() * 8; ++bit) {
        EXPECT_EQ(parse_topics(changed(topics, bit), "topics").error().kind, ErrorKind::corrupt)
            << bit;
    }
}

}  // namespace
}  // namespace helios::log
