"""with_openpi.py: openpi's own Python client, and server, against vlabench.

  with_openpi.py replay --port PORT demos/*.hdf5
      The loop of openpi's examples/libero/main.py with recorded observations in the simulator's place: for every episode of the
      files, a chunk for the observation of every 5th step, from `vlabench serve` through openpi_client.WebsocketClientPolicy. Each
      episode is played twice, over two connections; the chunks must be the same bits.

  with_openpi.py proxy --port PORT --listen PORT2 --openpi CHECKOUT
      openpi's WebsocketPolicyServer (from a checkout of Physical-Intelligence/openpi) whose policy is openpi's client connected to
      `vlabench serve`. `vlabench eval --policy ws://127.0.0.1:PORT2` then runs whole closed-loop episodes through both of them; they
      must equal those of `vlabench eval MODEL`, byte for byte.

  with_openpi.py load --port PORT --clients 32 --seconds 30
      Many of openpi's clients at once, each asking again as soon as it has its answer; what each sees.

Needs Python 3.10 or later and: pip install openpi-client websockets typing_extensions h5py
"""
import argparse
import importlib.util
import pathlib
import time

import numpy as np
from openpi_client.websocket_client_policy import WebsocketClientPolicy

REPLAN_STEPS = 5  # of openpi's LIBERO example


def upright(image):
    """A stored picture as a LIBERO policy sees it: turned by 180 degrees (rows are stored bottom-up, columns as rendered)."""
    return np.ascontiguousarray(image[::-1, ::-1])


def observations(demo, prompt):
    obs = demo["obs"]
    state = np.concatenate([obs["ee_pos"], obs["ee_ori"], obs["gripper_states"]], axis=1)
    for t in range(0, len(state), REPLAN_STEPS):
        yield {
            "observation/image": upright(obs["agentview_rgb"][t]),
            "observation/wrist_image": upright(obs["eye_in_hand_rgb"][t]),
            "observation/state": state[t],
            "prompt": prompt,
        }


def play(client, demo, prompt):
    chunks, times = [], []
    for observation in observations(demo, prompt):
        began = time.monotonic()
        reply = client.infer(observation)
        times.append(time.monotonic() - began)
        assert reply["actions"].shape[0] >= REPLAN_STEPS and np.isfinite(reply["actions"]).all()
        chunks.append(reply["actions"])
    return chunks, times


def replay(arguments):
    import h5py

    episodes, calls, times = 0, 0, []
    for path in arguments.files:
        prompt = pathlib.Path(path).name.removesuffix("_demo.hdf5").removesuffix(".hdf5").replace("_", " ")
        with h5py.File(path) as file:
            for name in file["data"]:
                demo, plays = file["data"][name], []
                for _ in range(2):  # a fresh connection each: the noise of its requests is counted from 0
                    client = WebsocketClientPolicy("127.0.0.1", arguments.port, arguments.key)
                    chunks, taken = play(client, demo, prompt)
                    client._ws.close()  # the client has no close of its own
                    plays.append(chunks)
                    times += taken
                assert all(np.array_equal(a, b) for a, b in zip(*plays, strict=True)), f"{path} {name}: two plays differ"
                episodes += 1
                calls += len(plays[0])
    times = 1e3 * np.array(times)
    print(f"{episodes} episodes, {calls} chunks each played twice, the same bits; {np.median(times):.2f} ms median, {times.max():.2f} ms at most")


def load(arguments):
    import threading

    generator, times = np.random.default_rng(0), [[] for _ in range(arguments.clients)]
    pictures = generator.integers(0, 255, (2, arguments.pixels, arguments.pixels, 3), dtype=np.uint8)
    observation = {
        "observation/image": pictures[0],
        "observation/wrist_image": pictures[1],
        "observation/state": np.zeros(8),
        "prompt": "pick up the black bowl from table center and place it on the plate",
    }
    clients = [WebsocketClientPolicy("127.0.0.1", arguments.port, arguments.key) for _ in range(arguments.clients)]
    end = time.monotonic() + arguments.seconds

    def ask(i):
        while (began := time.monotonic()) < end:
            clients[i].infer(observation)
            times[i].append(1e3 * (time.monotonic() - began))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(arguments.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client._ws.close()
    medians = [np.median(t) for t in times]
    counts = [len(t) for t in times]
    everything = np.concatenate(times)
    print(f"{arguments.clients} clients, {len(everything)} answers, {min(counts)} to {max(counts)} each, {len(everything) / arguments.seconds:.1f} a second")
    print(f"median per client {min(medians):.1f} to {max(medians):.1f} ms; all: median {np.median(everything):.1f}, "
          f"95% {np.quantile(everything, 0.95):.1f}, at most {everything.max():.1f} ms")


class Forwarded:
    """A policy as openpi's server wants one: `infer` and nothing else."""

    def __init__(self, client):
        self.client = client

    def infer(self, observation):
        return dict(self.client.infer(observation))


def proxy(arguments):
    path = pathlib.Path(arguments.openpi) / "src/openpi/serving/websocket_policy_server.py"
    spec = importlib.util.spec_from_file_location("websocket_policy_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    client = WebsocketClientPolicy("127.0.0.1", arguments.port, arguments.key)
    server = module.WebsocketPolicyServer(Forwarded(client), host="127.0.0.1", port=arguments.listen, metadata=client.get_server_metadata())
    print(f"proxy on port {arguments.listen}", flush=True)
    server.serve_forever()


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
commands = parser.add_subparsers(required=True)
for function in (replay, proxy, load):
    command = commands.add_parser(function.__name__)
    command.set_defaults(function=function)
    command.add_argument("--port", type=int, required=True, help="of vlabench serve on this machine")
    command.add_argument("--key", help="its key")
    if function is replay:
        command.add_argument("files", nargs="+", help="demonstrations in LIBERO's HDF5 layout (vlabench demos)")
    elif function is load:
        command.add_argument("--clients", type=int, default=32)
        command.add_argument("--seconds", type=float, default=30)
        command.add_argument("--pixels", type=int, default=64, help="side of each of the two pictures")
    else:
        command.add_argument("--listen", type=int, required=True, help="port of the proxy")
        command.add_argument("--openpi", required=True, help="checkout of openpi")
arguments = parser.parse_args()
arguments.function(arguments)
