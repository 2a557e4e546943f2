#include "base/yaml.h"

#include <gtest/gtest.h>

namespace helios::yaml {
namespace {

Error error_of(std::string_view text) {
    const auto result = parse(text, "f.yaml");
    EXPECT_FALSE(result) << text;
    return result ? Error{} : result.error();
}

TEST(Yaml, ScalarsAreTextAndKnowTheirPlace) {
    const auto doc = parse("a: no\nb: 0012\nc:\n  - \"1.0\"\n  - ~\n", "f.yaml");
    ASSERT_TRUE(doc) << doc.error().message();
    ASSERT_TRUE(doc->is_map());
    EXPECT_EQ(doc->find("a")->text, "no");
    EXPECT_EQ(doc->find("b")->text, "0012");
    EXPECT_FALSE(doc->find("b")->quoted);
    const Node& list = *doc->find("c");
    ASSERT_EQ(list.items.size(), 2u);
    EXPECT_TRUE(list.items[0].quoted);
    EXPECT_EQ(list.items[0].mark.line, 4);
    EXPECT_EQ(list.items[0].mark.column, 5);
    EXPECT_TRUE(list.items[1].is_null());
    EXPECT_EQ(doc->members[2].key_mark.line, 3);
    EXPECT_EQ(doc->find("d"), nullptr);
}

TEST(Yaml, EmptyIsNull) {
    for (const char* text : {"", "# only a comment\n", "---\n"}) {
        const auto doc = parse(text, "f.yaml");
        ASSERT_TRUE(doc) << doc.error().message();
        EXPECT_TRUE(doc->is_null());
    }
}

TEST(Yaml, RefusesWhatHidesMeaning) {
    EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n").what, "f.yaml:3:1: the key 'a' occurs twice; first in line 1");
    EXPECT_NE(error_of("a: &x 1\nb: *x\n").what.find("f.yaml:1:4: an anchor"), std::string::npos);
    EXPECT_NE(error_of("a: !!int 1\n").what.find("a tag (tag:yaml.org,2002:int)"), std::string::npos);
    EXPECT_NE(error_of("a: 1\n---\nb: 2\n").what.find("a second document"), std::string::npos);
    EXPECT_NE(error_of("? [a, b]\n: c\n").what.find("a key must be plain text"), std::string::npos);
    EXPECT_NE(error_of("~: c\n").what.find("an empty key"), std::string::npos);
}

TEST(Yaml, BrokenTextNamesItsPlace) {
    EXPECT_EQ(error_of("a: [1, 2\nb: 3\n").what.rfind("f.yaml:", 0), 0u);
    EXPECT_EQ(error_of("a: 1\nb: \xff\n").what, "f.yaml:2:4: not UTF-8 text");
    EXPECT_EQ(error_of("a: \xe2\x82").what, "f.yaml:1:4: not UTF-8 text");
    EXPECT_EQ(error_of(std::string_view("a: \0b", 5)).what, "f.yaml:1:4: not UTF-8 text");
}

TEST(Yaml, DeepAndLargeDocumentsAreRefusedNotFollowed) {
    EXPECT_FALSE(parse(std::string(100'000, '['), "f.yaml"));
    EXPECT_FALSE(parse(std::string(2u << 20, 'a'), "f.yaml"));
    EXPECT_NE(error_of(std::string(100, '[') + std::string(100, ']')).what.find("nested deeper"), std::string::npos);
}

TEST(Yaml, NearestName) {
    EXPECT_EQ(nearest("deadlin", {"deadline", "identity"}), "deadline");
    EXPECT_EQ(nearest("tpye", {"type", "source"}), "type");
    EXPECT_EQ(nearest("xyzzy", {"type", "source"}), "");
    EXPECT_EQ(nearest("--prot", {"--flow", "--to", "--help"}), "") << "three letters of four: no typing error";
    EXPECT_EQ(nearest("--prot", {"--flow", "--port"}), "--port") << "neighbours that changed places";
    EXPECT_EQ(nearest("--fromat", {"--format", "--from"}), "--format");
    EXPECT_EQ(nearest("ls", {"show", "ls"}), "ls");
    EXPECT_EQ(nearest("x", {"y", "long"}), "y");
}

}  // namespace
}  // namespace helios::yaml
