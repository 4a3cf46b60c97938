namespace Millrace.Storage;

/// <summary>
/// How durations are spread: counts in buckets that grow by a factor of the square root of two, from 100 microseconds to about 15 days, so that a percentile is right within a fifth. Histograms can be added up.
/// Not safe for several threads.
/// </summary>
public sealed class Histogram
{
    /// <summary>How many buckets there are. The last one has no upper end.</summary>
    public const int Size = 68;

    private readonly long[] counts = new long[Size];

    /// <summary>How many durations it holds.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a duration. Less than zero counts as zero.</summary>
    public void Add(TimeSpan duration)
    {
        counts[BucketOf(duration)]++;
        Count++;
    }

    /// <summary>Adds all that another one holds.</summary>
    public void Add(Histogram other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (var i = 0; i < Size; i++)
            counts[i] += other.counts[i];
        Count += other.Count;
    }

    /// <summary>The duration below which this share lies, as the middle of its bucket; null when it is empty.</summary>
    /// <param name="share">0 to 1: 0.5 for the median.</param>
    public TimeSpan? Percentile(double share)
    {
        if (Count == 0)
            return null;
        var rank = Math.Clamp((long)Math.Ceiling(share * Count), 1, Count);
        var seen = 0L;
        for (var i = 0; i < Size; i++)
        {
            seen += counts[i];
            if (seen >= rank)
                return MiddleOf(i);
        }

        return MiddleOf(Size - 1);
    }

    /// <summary>Which part of the durations lies below this one, 0 to 1; 1 when it is empty. Those of the bucket in which it lies are taken to be spread evenly.</summary>
    public double ShareBelow(TimeSpan duration)
    {
        if (Count == 0)
            return 1;
        var bucket = BucketOf(duration);
        var below = 0L;
        for (var i = 0; i < bucket; i++)
            below += counts[i];
        var (low, high) = (bucket == 0 ? 0 : LowEndOf(bucket), LowEndOf(bucket + 1));
        var part = Math.Clamp((duration.TotalMicroseconds - low) / (high - low), 0, 1);
        return (below + part * counts[bucket]) / Count;
    }

    /// <summary>For a column: pairs of bucket and count as variable-length numbers; empty for an empty one.</summary>
    public byte[] ToBytes()
    {
        var bytes = new List<byte>();
        for (var i = 0; i < Size; i++)
        {
            if (counts[i] == 0)
                continue;
            bytes.Add((byte)i);
            var rest = (ulong)counts[i];
            for (; rest >= 0x80; rest >>= 7)
                bytes.Add((byte)(rest | 0x80));
            bytes.Add((byte)rest);
        }

        return [.. bytes];
    }

    /// <summary>From a column. Bytes that are not a histogram's are taken as far as they make sense.</summary>
    public static Histogram FromBytes(ReadOnlySpan<byte> bytes)
    {
        var histogram = new Histogram();
        histogram.Add(bytes);
        return histogram;
    }

    /// <summary>Adds all that a column holds: the same as <see cref="FromBytes"/> and <see cref="Add(Histogram)"/>.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length;)
        {
            var bucket = bytes[i++];
            var (count, shift) = (0L, 0);
            while (i < bytes.Length && shift < 63)
            {
                count |= (long)(bytes[i] & 0x7f) << shift;
                shift += 7;
                if (bytes[i++] < 0x80)
                    break;
            }

            if (bucket >= Size || count < 0)
                continue;
            counts[bucket] += count;
            Count += count;
        }
    }

    // Two buckets for each doubling of 100 microseconds; bucket 0 is all below.
    private static int BucketOf(TimeSpan duration)
    {
        var units = duration.TotalMicroseconds / 100;
        // The whole part of the logarithm of the square is that of twice the logarithm, and costs a tenth.
        return units < 1 ? 0 : Math.Min(Size - 1, 1 + Math.ILogB(units * units));
    }

    private static double LowEndOf(int bucket) => 100 * Math.Pow(2, (bucket - 1) / 2.0);

    private static TimeSpan MiddleOf(int bucket) =>
        TimeSpan.FromMicroseconds(bucket == 0 ? 50 : 100 * Math.Pow(2, (bucket - 0.5) / 2));
}
