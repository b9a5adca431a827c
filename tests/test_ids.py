"""Names that nobody can guess, however many threads and processes make them."""

import os
from concurrent.futures import ThreadPoolExecutor

from llm import secrets


def test_ids_are_128_bits_in_hexadecimal_and_never_the_same():
    with ThreadPoolExecutor(4) as pool:
        parts = pool.map(lambda _: [secrets.new_id() for _ in range(500)], range(4))
        made = [found for part in parts for found in part]
    assert len(set(made)) == 2_000
    assert all(len(found) == 32 and int(found, 16) >= 0 for found in made)


def test_a_child_process_does_not_give_its_parents_ids():
    secrets.new_id()
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, secrets.new_id().encode())
        os._exit(0)
    os.wait()
    assert os.read(reader, 32).decode() not in {secrets.new_id() for _ in range(secrets.IDS_AT_ONCE)}
    os.close(reader)
    os.close(writer)
