using System.Reflection;
using System.Runtime.CompilerServices;

namespace Postern.AspNetCore.Tests;

public sealed class PublicApiTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void The_public_surface_is_the_committed_one()
    {
        var types = typeof(PosternOptions).Assembly.GetExportedTypes()
            .Where(type => !type.Name.StartsWith('<'))
            .OrderBy(type => type.FullName, StringComparer.Ordinal);

        CommittedFile.Matches(string.Join('\n', types.Select(Describe)), "../../docs/sdk-api.txt");
    }

    private static string Describe(Type type)
    {
        var members = type.GetMembers(Declared)
            .Where(member => member.GetCustomAttribute<CompilerGeneratedAttribute>() is null)
            .Select(Line).OfType<string>().Order(StringComparer.Ordinal);
        var heading = $"{type.FullName}{(type.BaseType is { } parent && parent != typeof(object) ? $" : {Name(parent)}" : "")}";
        return string.Concat(members.Prepend(heading).Select((line, at) => at is 0 ? $"{line}\n" : $"    {line}\n"));
    }

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        FieldInfo { IsLiteral: true } field when !field.DeclaringType!.IsEnum =>
            $"const {Name(field.FieldType)} {field.Name} = {field.GetRawConstantValue()}",
        FieldInfo { IsSpecialName: false } field => $"{Name(field.FieldType)} {field.Name}",
        PropertyInfo property => $"{Name(property.PropertyType)} {property.Name} {{ {Accessors(property)}}}",
        MethodInfo { IsSpecialName: false } method =>
            $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        MethodInfo { IsStatic: true } getter when getter.Name.StartsWith("get_", StringComparison.Ordinal)
            && getter.GetParameters() is [{ } self] =>
            $"extension({Name(self.ParameterType)}) {Name(getter.ReturnType)} {getter.Name[4..]} {{ get; }}",
        _ => null,
    };

    private static string Accessors(PropertyInfo property)
    {
        var isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Length > 0;
        var set = property.SetMethod?.IsPublic is not true ? "" : isInit ? "init; " : "set; ";
        return $"{(property.GetMethod?.IsPublic is true ? "get; " : "")}{set}";
    }

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}"));

    private static string Name(Type type) => type.IsGenericType
        ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GenericTypeArguments.Select(Name))}>"
        : type.Name;
}
