/// <summary>The plan of the house: every room registered, every door mapped, in reading order.</summary>
internal static partial class Program
{
    private static void Main()
    {
    }
}
