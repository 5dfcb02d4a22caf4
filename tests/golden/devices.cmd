perseus devices --devices sim:a100x4,step_ms=60000
perseus devices --devices sim:a40x3,step_ms=60000,load=blocking,blocking_w=10,fault=denied,fault=no-power:1,fault=no-memory-clocks:2
perseus devices --devices sim:a100x2,step_ms=60000,fault=lost:1
perseus devices --devices sim:a100,step_ms=60000,fault=no-counter --json
mkdir -p $TMP/zones/intel-rapl:0 && cd $TMP/zones/intel-rapl:0 && echo package-0 >name && echo 262143328850 >max_energy_range_uj && echo 123456789 >energy_uj
perseus devices --devices rapl:$TMP/zones --json
cd $TMP/zones && cp -r intel-rapl:0 intel-rapl:1 && cp -r intel-rapl:0 intel-rapl:2 && cp -r intel-rapl:1 intel-rapl:0/intel-rapl:0:0
cd $TMP/zones && echo package-1 >intel-rapl:1/name && echo psys >intel-rapl:2/name && echo dram >intel-rapl:0/intel-rapl:0:0/name
perseus devices --devices rapl --rapl-root $TMP/zones
echo many >$TMP/zones/intel-rapl:1/energy_uj; perseus devices --devices rapl --rapl-root $TMP/zones
perseus devices --devices sim:a100,step_ms=60000+rapl --rapl-root $TMP/zones
PERSEUS_DEVICES=sim:a40x2,step_ms=60000 CUDA_VISIBLE_DEVICES=1 perseus devices
PERSEUS_DEVICES=sim:a40x2,step_ms=60000 CUDA_VISIBLE_DEVICES= perseus devices
PERSEUS_DEVICES=sim:a40x2,step_ms=60000 CUDA_VISIBLE_DEVICES= perseus devices --json
PERSEUS_DEVICES=sim:a40x2,step_ms=60000 CUDA_VISIBLE_DEVICES=2 perseus devices
perseus devices --devices rapl --rapl-root $TMP/none
perseus devices --devices rapl --rapl-root $TMP
perseus devices --devices sim:a40+tpu
perseus devices --devices nvml:0
perseus devices sim:a40
perseus devices --help
