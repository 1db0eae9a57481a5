#include "gemm_chain.h"

#include <array>
#include <chrono>
#include <ctime>
#include <dnnl.hpp>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/random.h"

extern "C" void omp_set_num_threads(int count);

namespace embedrouter::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

struct Product {
  dnnl::matmul primitive;
  std::vector<std::unordered_map<int, dnnl::memory>> arguments;  // per layer
};

double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Numbers of random sign and digits, as a model has them: on zeros a CPU draws less power and runs faster
// than it ever will on texts. Each 16 bits are a bf16 near 0.01, and so is the upper half of each float.
void fill(const dnnl::memory& memory) {
  auto* words = static_cast<std::uint16_t*>(memory.get_data_handle());
  const std::size_t count = memory.get_desc().get_size() / sizeof(std::uint16_t);
  Random random(count);
  for (std::size_t i = 0; i < count; ++i)
    words[i] = static_cast<std::uint16_t>(0x3C00U | (random.next() & 0x81FFU));
}

Product make(const dnnl::engine& engine, const ChainShape& shape, std::uint32_t rows, std::uint32_t in,
             std::uint32_t out) {
  const bool int8 = shape.precision == "int8";
  const Type type = int8 ? Type::u8 : shape.precision == "bf16" ? Type::bf16 : Type::f32;
  const dnnl::memory::desc a({rows, in}, type, Tag::ab), c({rows, out}, type, Tag::ab);
  const dnnl::memory::desc b({in, out}, int8 ? Type::s8 : type, Tag::any);
  const dnnl::matmul::primitive_desc description({a, b, c}, engine);
  Product product{dnnl::matmul(description), {}};
  const dnnl::memory source(a, engine), destination(c, engine);
  fill(source);
  for (std::uint32_t l = 0; l < shape.layers; ++l) {
    const dnnl::memory weights(description.weights_desc(), engine);
    fill(weights);
    product.arguments.push_back(
        {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, destination}});
  }
  return product;
}

Rate one_thread(const ChainShape& shape, std::uint32_t rows, double seconds) {
  omp_set_num_threads(1);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const std::array<Product, 4> products{make(engine, shape, rows, shape.width, 3 * shape.width),
                                        make(engine, shape, rows, shape.width, shape.width),
                                        make(engine, shape, rows, shape.width, shape.inner_width),
                                        make(engine, shape, rows, shape.inner_width, shape.width)};
  const auto pass = [&] {
    for (std::uint32_t l = 0; l < shape.layers; ++l) {
      for (const Product& product : products) product.primitive.execute(stream, product.arguments[l]);
    }
  };
  pass();
  const auto start = Clock::now();
  const double cpu_start = thread_cpu_seconds();
  double elapsed = 0;
  std::uint64_t passes = 0;
  do {
    pass();
    ++passes;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  const auto tokens = static_cast<double>(passes * rows);
  return {tokens / elapsed, tokens / (thread_cpu_seconds() - cpu_start)};
}

}  // namespace

Rate chain_rate(const ChainShape& shape, unsigned threads, std::uint32_t rows, double seconds) {
  std::vector<Rate> rates(threads);
  std::vector<std::thread> running;
  for (Rate& rate : rates) running.emplace_back([&] { rate = one_thread(shape, rows, seconds); });
  for (std::thread& thread : running) thread.join();
  Rate total;
  for (const Rate& rate : rates) {
    total.wall += rate.wall;
    total.cpu += rate.cpu;
  }
  return total;
}

}  // namespace embedrouter::bench
