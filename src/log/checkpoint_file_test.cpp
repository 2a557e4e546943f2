#include "log/checkpoint_file.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace helios::log {
namespace {

CheckpointContent example() {
    CheckpointContent out;
    out.header.log.bits = {0xaa, 0xbb};
    out.header.topic = "helios.cases";
    out.header.partition = 11;
    out.header.next = Offset{1234};
    out.header.last = Offset{1200};
    out.header.last_time = from_nanos(1'700'000'000'000'000'000);
    out.header.level = 1;
    out.header.format = 3;
    out.header.digest = {1, 2, 3};
    out.files = {{"000012.sst", 4096, std::nullopt}, {"CURRENT", 16, 0xdeadbeef}};
    return out;
}

TEST(CheckpointFile, reads_what_it_wrote) {
    for (const bool has_last : {true, false}) {
        CheckpointContent content = example();
        if (!has_last) {
            content.header.last.reset();
        }
        const auto read = decode_checkpoint(encode_checkpoint(content), "x");
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(read->files, content.files);
        EXPECT_EQ(read->header.last, content.header.last);
        EXPECT_EQ(encode_header(read->header), encode_header(content.header));
    }
}

TEST(CheckpointFile, bytes_of_an_example) {
    EXPECT_EQ(to_hex(encode_checkpoint(example())),
              "48454c494f534350"                  // HELIOSCP
              "01000000"                          // version
              "aabb0000000000000000000000000000"  // log
              "0c68656c696f732e6361736573"
              "0b000000"  // topic, partition
              "d204000000000000"
              "01"
              "b004000000000000"  // next, last
              "00002a36fe9c9717"  // time of the last
              "01000000"
              "03000000"                          // level, format
              "01020300000000000000000000000000"  // digest
              "02000000"                          // files
              "0a3030303031322e737374"
              "0010000000000000"
              "00"
              "00000000"
              "0743555252454e54"
              "1000000000000000"
              "01"
              "efbeadde"
              "485639d4");  // sum
}

TEST(CheckpointFile, cut_or_flipped_anywhere_is_damage) {
    const std::string whole = encode_checkpoint(example());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        const auto cut = decode_checkpoint(whole.substr(0, at), "20/CHECKPOINT");
        ASSERT_FALSE(cut.has_value()) << at;
        EXPECT_EQ(cut.error().kind, ErrorKind::corrupt);
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
        const auto read = decode_checkpoint(flipped, "20/CHECKPOINT");
        ASSERT_FALSE(read.has_value()) << at;
        EXPECT_EQ(read.error().what.find("newer"), std::string::npos);
        EXPECT_TRUE(read.error().what.starts_with("20/CHECKPOINT is "));
    }
    EXPECT_FALSE(decode_checkpoint(whole + "x", "x").has_value());
}

TEST(CheckpointFile, a_name_that_leads_elsewhere_is_damage) {
    for (const char* name : {"", "../x", "a/b", ".."}) {
        CheckpointContent content = example();
        content.files[0].name = name;
        EXPECT_FALSE(decode_checkpoint(encode_checkpoint(content), "x").has_value()) << name;
    }
}

}  // namespace
}  // namespace helios::log
