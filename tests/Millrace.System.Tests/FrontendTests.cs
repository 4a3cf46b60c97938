using System.Buffers.Binary;
using System.Text;

namespace Millrace.System.Tests;

/// <summary>What the proxy understands of PostgreSQL's protocol, whatever the pieces it comes in.</summary>
public sealed class FrontendTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(4096)]
    public void A_commit_is_seen_as_a_query_and_as_a_statement_that_was_prepared_before(int size)
    {
        var talk = new Frontend();
        byte[] said =
        [
            .. Message(null, [0, 3, 0, 0], "user\0x\0application_name\0millrace beat\0\0"),
            .. Message('Q', [], "BEGIN\0"), .. Message('d', [], "a row of a copy with commit\0 in it"), .. Message('S', [], ""),
            .. Message('Q', [], "COMMIT\0"),
            .. Message('P', [], "_p1\0commit\0\0\0"), .. Message('P', [], "_p2\0select 'commit'\0\0\0"), .. Message('H', [], ""),
            .. Message('B', [], "\0_p1\0\0\0\0\0\0\0"), .. Message('E', [], "\0\0\0\0\0"), .. Message('S', [], ""),
            .. Message('B', [], "\0_p2\0\0\0\0\0\0\0"), .. Message('E', [], "\0\0\0\0\0"), .. Message('S', [], ""),
            .. Message('B', [], "\0_p1\0\0\0\0\0\0\0"), .. Message('E', [], "\0\0\0\0\0"), .. Message('S', [], ""),
            .. Message('C', [], "S_p1\0"), .. Message('P', [], "_p1\0select 1\0\0\0"), .. Message('B', [], "\0_p1\0\0\0\0\0\0\0"), .. Message('E', [], "\0\0\0\0\0"), .. Message('S', [], ""),
        ];
        foreach (var piece in said.Chunk(size))
            talk.Read(piece);

        talk.Application.ShouldBe("millrace beat");
        talk.TakeCommits().ShouldBe(3);
        talk.TakeCommits().ShouldBe(0);
    }

    private static byte[] Message(char? type, byte[] code, string body)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, 4 + code.Length + body.Length);
        return [.. type is { } letter ? new[] { (byte)letter } : [], .. length, .. code, .. Encoding.UTF8.GetBytes(body)];
    }
}
