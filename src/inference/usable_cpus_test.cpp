#include "inference/usable_cpus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace embedrouter::inference {
namespace {

namespace fs = std::filesystem;

class cgroup_of_a_process : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "usable_cpus_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(cgroup_of_a_process, without_any_file_sets_no_limit) {
  EXPECT_EQ(cgroup_cpus(root_), 0U);
}

TEST_F(cgroup_of_a_process, with_v2_takes_the_smallest_quota_on_the_way_up) {
  write("proc/self/cgroup", "0::/work.slice/job.scope\n");
  write("sys/fs/cgroup/work.slice/job.scope/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 0U);
  write("sys/fs/cgroup/work.slice/cpu.max", "400000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 4U);
  write("sys/fs/cgroup/work.slice/job.scope/cpu.max", "250000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 2U);
}

TEST_F(cgroup_of_a_process, with_less_than_one_cpu_still_runs_one_thread) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 1U);
}

TEST_F(cgroup_of_a_process, in_a_container_reads_the_mount_itself) {
  write("proc/self/cgroup", "0::/../../elsewhere\n");
  write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 3U);
}

TEST_F(cgroup_of_a_process, with_v1_reads_the_cpu_hierarchy_whatever_it_is_mounted_as) {
  write("proc/self/cgroup", "5:memory:/box\n4:cpu,cpuacct:/box\n");
  write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 0U);
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "700000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 7U);
  write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 1U);
}

TEST_F(cgroup_of_a_process, with_nonsense_in_its_files_sets_no_limit) {
  write("proc/self/cgroup", "\n::\n0\n0::/a\nx:cpu\n");
  write("sys/fs/cgroup/a/cpu.max", "lots\n");
  write("sys/fs/cgroup/cpu.max", "-5 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 0U);
  write("sys/fs/cgroup/cpu.max", "100000 0\n");
  EXPECT_EQ(cgroup_cpus(root_), 0U);
}

TEST(usable_cpus, is_at_least_one) {
  EXPECT_GE(usable_cpus(), 1U);
}

}  // namespace
}  // namespace embedrouter::inference
