#include "log/disk.h"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "log/posix_disk.h"
#include "log/sim_disk.h"

namespace helios::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_of(Disk& disk, const std::string& path) {
    auto bytes = read_file(disk, path, 1u << 20);
    return bytes ? *bytes : "(" + bytes.error().what + ")";
}

void links_and_removes_folders(Disk& disk, const std::string& root) {
    ASSERT_TRUE(disk.make_directory(root + "/c"));
    EXPECT_EQ(disk.make_directory(root + "/c").error().kind, ErrorKind::unavailable);
    EXPECT_EQ(disk.make_directory(root + "/none/c").error().kind, ErrorKind::not_found);
    ASSERT_TRUE(replace_file(disk, root + "/c", "one", "text"));
    ASSERT_TRUE(disk.make_directory(root + "/c/in"));
    ASSERT_TRUE(disk.link(root + "/c/one", root + "/c/in/two"));
    EXPECT_EQ(*disk.identify(root + "/c/one"), *disk.identify(root + "/c/in/two"));
    EXPECT_EQ(disk.link(root + "/c/none", root + "/c/x").error().kind, ErrorKind::not_found);
    EXPECT_EQ(disk.link(root + "/c/one", root + "/c/in").error().kind, ErrorKind::unavailable);
    {
        const auto file = *disk.open(root + "/c/one", OpenMode::write);
        ASSERT_TRUE(file->pwrite(0, "n"));
        ASSERT_TRUE(disk.remove(root + "/c/one"));
        EXPECT_FALSE(*file->unlinked()) << "its other name leads to it";
    }
    EXPECT_EQ(text_of(disk, root + "/c/in/two"), "next");
    EXPECT_FALSE(disk.rename(root + "/a", root + "/c")) << "not over what is in a folder";
    ASSERT_TRUE(disk.rename(root + "/c", root + "/d"));
    EXPECT_FALSE(*disk.exists(root + "/c"));
    EXPECT_EQ(text_of(disk, root + "/d/in/two"), "next");
    ASSERT_TRUE(disk.remove_all(root + "/d"));
    EXPECT_FALSE(*disk.exists(root + "/d"));
    ASSERT_TRUE(disk.remove_all(root + "/d"));
}

// What both disks promise.
void keeps_the_promises_of_a_disk(Disk& disk, const std::string& root) {
    ASSERT_TRUE(disk.make_directories(root + "/a/b"));
    ASSERT_TRUE(disk.make_directories(root + "/a/b"));
    EXPECT_EQ(disk.open(root + "/a/none", OpenMode::read).error().kind, ErrorKind::not_found);
    EXPECT_EQ(disk.open(root + "/a/none", OpenMode::write).error().kind, ErrorKind::not_found);
    EXPECT_EQ(disk.list(root + "/none").error().kind, ErrorKind::not_found);
    EXPECT_FALSE(*disk.exists(root + "/a/none"));
    auto file = disk.open(root + "/a/f", OpenMode::create);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->pwrite(5, "world"));
    ASSERT_TRUE((*file)->pwrite(0, "hello"));
    EXPECT_EQ(*(*file)->size(), 10u);
    ASSERT_TRUE((*file)->preallocate(200'000));
    EXPECT_EQ(*(*file)->size(), 200'000u);
    std::string tail(10, 'x');
    EXPECT_EQ(*read_fully(**file, 199'995, tail), 5u);
    EXPECT_EQ(tail.substr(0, 5), std::string(5, '\0'));
    EXPECT_EQ(*read_fully(**file, 300'000, tail), 0u);
    ASSERT_TRUE((*file)->pwrite(65'530, std::string(20, 'p')));
    std::string over(20, ' ');
    EXPECT_EQ(*read_fully(**file, 65'530, over), 20u);
    EXPECT_EQ(over, std::string(20, 'p'));
    ASSERT_TRUE((*file)->truncate(8));
    ASSERT_TRUE((*file)->truncate(10));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ(text_of(disk, root + "/a/f"), std::string("hellowor\0\0", 10));
    EXPECT_EQ(read_file(disk, root + "/a/f", 9).error().kind, ErrorKind::corrupt);
    ASSERT_TRUE(replace_file(disk, root + "/a", "g", "first"));
    ASSERT_TRUE(replace_file(disk, root + "/a", "g", "2nd"));
    EXPECT_EQ(text_of(disk, root + "/a/g"), "2nd");
    EXPECT_THAT(*disk.list(root + "/a"), ElementsAre("b", "f", "g"));
    ASSERT_TRUE(disk.remove(root + "/a/g"));
    EXPECT_EQ(disk.remove(root + "/a/g").error().kind, ErrorKind::not_found);
    EXPECT_THAT(*disk.list(root + "/a"), ElementsAre("b", "f"));
    links_and_removes_folders(disk, root);
    {
        auto held = disk.lock(root, root + "/LOCK");
        ASSERT_TRUE(held);
        ASSERT_TRUE((*held)->sign(root + "/LOCK"));
        static_cast<void>(disk.remove(root + "/LOCK"));
        const auto second = disk.lock(root, root + "/LOCK");
        ASSERT_FALSE(second) << "a removed file must not let in a second holder";
        EXPECT_EQ(second.error().kind, ErrorKind::conflict);
        EXPECT_THAT(second.error().what, HasSubstr(root + " is in use by "));
        EXPECT_TRUE(disk.lock(root + "/a", "")) << "another directory";
    }
    EXPECT_TRUE(disk.lock(root, root + "/LOCK"));
    EXPECT_FALSE(*disk.exists(root + "/LOCK")) << "taking a lock writes nothing";
    EXPECT_EQ(disk.lock(root + "/none", "").error().kind, ErrorKind::not_found);
    EXPECT_NE(disk.random(), disk.random());
}

TEST(PosixDisk, keeps_the_promises_of_a_disk) {
    std::string pattern = (std::filesystem::temp_directory_path() / "helios-disk-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    const auto disk = posix_disk();
    keeps_the_promises_of_a_disk(*disk, pattern);
    {
        const auto held = disk->lock(pattern, pattern + "/LOCK");
        ASSERT_TRUE(held && (*held)->sign(pattern + "/LOCK"));
        EXPECT_THAT(disk->lock(pattern, pattern + "/LOCK").error().what,
                    HasSubstr("process " + std::to_string(::getpid())));
        std::filesystem::create_directory_symlink(pattern, pattern + "/link");
        EXPECT_EQ(disk->lock(pattern + "/link", "").error().kind, ErrorKind::conflict)
            << "under another name it is the same";
        std::filesystem::rename(pattern, pattern + ".moved");
        EXPECT_EQ(disk->lock(pattern + ".moved", "").error().kind, ErrorKind::conflict);
        std::filesystem::create_directory(pattern);
        EXPECT_TRUE(disk->lock(pattern, "")) << "another directory that has taken the name";
        std::filesystem::remove_all(pattern + ".moved");
    }
    std::filesystem::remove_all(pattern);
}

TEST(PosixDisk, makes_what_only_its_owner_may_read) {
    std::string pattern = (std::filesystem::temp_directory_path() / "helios-disk-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    const auto disk = posix_disk();
    const std::string root = pattern + "/parent/data";
    ASSERT_TRUE(disk->make_directories(root));
    ASSERT_TRUE(disk->open(root + "/f", OpenMode::create));
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(root).permissions(), perms::owner_all);
    EXPECT_EQ(std::filesystem::status(root + "/f").permissions(),
              perms::owner_read | perms::owner_write);
    std::filesystem::remove_all(pattern);
}

TEST(SimDisk, keeps_the_promises_of_a_disk) {
    for (const auto durability : {SimDisk::Durability::ignored, SimDisk::Durability::tracked}) {
        SimDisk disk(3, durability);
        keeps_the_promises_of_a_disk(disk, "root");
        disk.short_reads(true);
        EXPECT_EQ(text_of(disk, "root/a/f"), std::string("hellowor\0\0", 10))
            << "short reads are read over";
    }
}

TEST(SimDisk, loses_what_was_not_synced_and_nothing_else) {
    bool lost = false, kept = false, torn = false, name_lost = false;
    for (std::uint64_t seed = 1; seed < 60; ++seed) {
        SimDisk disk(seed, SimDisk::Durability::tracked);
        ASSERT_TRUE(disk.make_directories("d"));
        auto file = *disk.open("d/f", OpenMode::create);
        ASSERT_TRUE(file->pwrite(0, std::string(2048, 'a')));
        ASSERT_TRUE(file->sync());
        ASSERT_TRUE(disk.sync_directory("d"));
        ASSERT_TRUE(file->pwrite(0, std::string(2048, 'b')));
        ASSERT_TRUE(disk.open("d/unsynced", OpenMode::create));
        disk.power_cycle();
        EXPECT_FALSE(file->pwrite(0, "x")) << "open files die with the power";
        const std::string text = text_of(disk, "d/f");
        ASSERT_EQ(text.size(), 2048u);
        for (std::size_t sector = 0; sector < 4; ++sector) {
            const std::string one = text.substr(sector * 512, 512);
            ASSERT_TRUE(one == std::string(512, 'a') || one == std::string(512, 'b'))
                << "a sector is old or new";
        }
        lost = lost || text == std::string(2048, 'a');
        kept = kept || text == std::string(2048, 'b');
        torn = torn || text.find_first_not_of(text[0]) != std::string::npos;
        name_lost = name_lost || !*disk.exists("d/unsynced");
    }
    EXPECT_TRUE(lost && kept && torn && name_lost);
}

TEST(SimDisk, a_failed_sync_is_not_healed_by_the_next) {
    bool lost = false;
    for (std::uint64_t seed = 1; seed < 40; ++seed) {
        SimDisk disk(seed, SimDisk::Durability::tracked);
        ASSERT_TRUE(disk.make_directories("d"));
        auto file = *disk.open("d/f", OpenMode::create);
        ASSERT_TRUE(file->pwrite(0, std::string(512, 'a')));
        ASSERT_TRUE(file->sync());
        ASSERT_TRUE(disk.sync_directory("d"));
        disk.fail_sync_after(1);
        ASSERT_TRUE(file->pwrite(0, std::string(512, 'b')));
        EXPECT_FALSE(file->sync());
        EXPECT_TRUE(file->sync());
        EXPECT_EQ(text_of(disk, "d/f"), std::string(512, 'b')) << "it looks written";
        disk.power_cycle();
        lost = lost || text_of(disk, "d/f") == std::string(512, 'a');
    }
    EXPECT_TRUE(lost);
}

TEST(SimDisk, a_folder_is_lost_or_moved_with_all_that_was_synced_in_it) {
    bool lost = false, moved = false;
    for (std::uint64_t seed = 1; seed < 40; ++seed) {
        SimDisk disk(seed, SimDisk::Durability::tracked);
        ASSERT_TRUE(disk.make_directories("d"));
        ASSERT_TRUE(disk.make_directory("d/new"));
        ASSERT_TRUE(replace_file(disk, "d/new", "f", "whole"));
        ASSERT_TRUE(disk.sync_directory("d"));
        ASSERT_TRUE(disk.link("d/new/f", "d/g"));
        ASSERT_TRUE(disk.rename("d/new", "d/named"));
        disk.power_cycle();
        ASSERT_NE(*disk.exists("d/new"), *disk.exists("d/named"));
        ASSERT_EQ(text_of(disk, *disk.exists("d/new") ? "d/new/f" : "d/named/f"), "whole");
        moved = moved || *disk.exists("d/named");
        lost = lost || !*disk.exists("d/g");
        ASSERT_TRUE(!*disk.exists("d/named") || *disk.exists("d/g")) << "in the order made";
    }
    EXPECT_TRUE(lost && moved);
}

TEST(SimDisk, a_step_that_fails_changes_no_name_and_the_next_does) {
    SimDisk disk;
    ASSERT_TRUE(disk.make_directories("d"));
    disk.fail_step_after(2);
    ASSERT_TRUE(disk.open("d/f", OpenMode::create));
    EXPECT_EQ(disk.rename("d/f", "d/g").error().kind, ErrorKind::unavailable);
    EXPECT_TRUE(*disk.exists("d/f"));
    ASSERT_TRUE(disk.rename("d/f", "d/g"));
    disk.fail_steps(true);
    EXPECT_FALSE((*disk.open("d/g", OpenMode::write))->pwrite(0, "text"));
    EXPECT_FALSE(disk.remove("d/g"));
    disk.fail_steps(false);
    EXPECT_TRUE(disk.remove("d/g"));
}

TEST(SimDisk, fills_up) {
    SimDisk disk;
    ASSERT_TRUE(disk.make_directories("d"));
    disk.set_capacity(1000);
    auto file = *disk.open("d/f", OpenMode::create);
    EXPECT_TRUE(file->preallocate(900));
    EXPECT_TRUE(file->pwrite(0, std::string(900, 'x'))) << "space set aside is there";
    EXPECT_EQ(file->pwrite(900, std::string(200, 'x')).error().kind, ErrorKind::exhausted);
    ASSERT_TRUE(file->truncate(100));
    EXPECT_TRUE(file->pwrite(100, std::string(900, 'x')));
}

}  // namespace
}  // namespace helios::log
