using Quorate.Runtime.Sessions;

namespace Quorate.Runtime.Tests;

public class RequestRingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Holds_what_a_queue_of_arrays_holds_whatever_the_order_of_adding_and_removing(int seed)
    {
        var random = new Prng((ulong)seed);
        var ring = new RequestRing();
        var model = new Queue<byte[]>();
        long first = 1;
        for (int step = 0; step < 200_000; step++)
        {
            if (model.Count > 0 && random.Chance(step / 1000 % 2 == 0 ? 0.45 : 0.55))
            {
                Assert.Equal(model.Dequeue(), ring.BytesOf(ring[first]).ToArray());
                ring.RemoveFirst();
                first++;
            }
            else
            {
                var bytes = new byte[1 + random.Below(random.Chance(0.01) ? 30_000 : 200)];
                for (int i = 0; i < bytes.Length; i += 7) bytes[i] = (byte)random.Next();
                int cut = (int)random.Below(bytes.Length + 1);
                Assert.Equal(first + model.Count, ring.Add(CommandKind.Write, bytes.AsSpan(0, cut), bytes.AsSpan(cut), null));
                model.Enqueue(bytes);
            }
            Assert.Equal(model.Count, ring.Count);
            Assert.Equal(first, ring.FirstNumber);
        }
        Assert.Equal(model.Sum(b => (long)b.Length), ring.Bytes);
        foreach (var expected in model) Assert.Equal(expected, ring.BytesOf(ring[first++]).ToArray());
    }
}
